package org.tinamou.monitor;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.ClockType;
import org.tinamou.qapi.Json;

/**
 * Lets events that may come in floods through once a second: the first at once, and at the end of
 * each second the last that came meanwhile. Some are counted for each thing they are about. Belongs
 * to the main loop.
 */
final class EventThrottle {
  private static final long PERIOD_NANOS = 1_000_000_000L;

  /** The events that are held back, and the member that tells them apart, or "". */
  private static final Map<String, String> HELD_BACK =
      Map.of(
          "RTC_CHANGE", "",
          "WATCHDOG", "",
          "BALLOON_CHANGE", "",
          "QUORUM_REPORT_BAD", "node-name",
          "QUORUM_FAILURE", "",
          "VSERPORT_CHANGE", "id",
          "MEMORY_DEVICE_SIZE_CHANGE", "qom-path");

  /** A second in which events of one kind are held back. */
  private final class Period {
    final AioTimer timer;
    @Nullable Json last;

    Period(String key) {
      timer = main.timer(ClockType.REALTIME, "events " + key, () -> ended(key));
      timer.armIn(PERIOD_NANOS);
    }
  }

  private final AioContext main;
  private final Consumer<Json> receiver;
  private final Map<String, Period> periods = new HashMap<>();
  private boolean stopped;

  EventThrottle(AioContext main, Consumer<Json> receiver) {
    this.main = main;
    this.receiver = receiver;
  }

  /** Passes a finished event on, now or later. */
  @HomeThread
  void offer(String name, Json.Members data, Json event) {
    String member = HELD_BACK.get(name);
    if (member == null || stopped) {
      receiver.accept(event);
      return;
    }
    Json about = data.members().get(member);
    String key = about instanceof Json.Scalar scalar ? name + " of " + scalar.text() : name;
    Period period = periods.get(key);
    if (period != null) {
      period.last = event;
      return;
    }
    periods.put(key, new Period(key));
    receiver.accept(event);
  }

  private void ended(String key) {
    Period period = periods.get(key);
    if (period == null) {
      return;
    }
    Json last = period.last;
    if (last == null) {
      periods.remove(key);
      return;
    }
    period.last = null;
    period.timer.armIn(PERIOD_NANOS);
    receiver.accept(last);
  }

  /** Holds nothing back any more: what was held back goes at once. */
  @HomeThread
  void stop() {
    stopped = true;
    for (Period period : periods.values()) {
      period.timer.cancel();
      if (period.last != null) {
        receiver.accept(period.last);
      }
    }
    periods.clear();
  }
}
