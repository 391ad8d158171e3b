package org.tinamou.aio;

import org.tinamou.base.Clocks;

/**
 * Everything a loop takes from outside, so that the same loop runs on the host and in a simulator.
 *
 * @param name for dumps and messages, e.g. "main" or "iothread0"
 * @param poller owned by the loop, which closes it
 * @param clocks shared
 * @param workers shared
 * @param hostFiles shared
 * @param busyPolling how long to look for work before waiting
 * @param hooks {@link LoopHooks#NONE} in production
 * @param failures who learns of escaped exceptions
 */
public record LoopSetup(
    String name,
    Poller poller,
    Clocks clocks,
    Workers workers,
    HostFiles hostFiles,
    BusyPolling busyPolling,
    LoopHooks hooks,
    LoopFailures failures) {}
