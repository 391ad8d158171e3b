/**
 * The production side of {@link org.tinamou.aio.Poller}, {@link org.tinamou.aio.Workers} and {@link
 * org.tinamou.aio.HostFiles}: requests and watches of one loop on their way to the Linux kernel and
 * back.
 *
 * <p>Everything runs on the loop's home thread, except {@code wake()} and what workers execute. May
 * depend on {@code host} and on the interfaces of {@code aio}. Start reading at {@link
 * org.tinamou.aio.poller.Pollers}.
 */
package org.tinamou.aio.poller;
