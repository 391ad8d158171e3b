package org.tinamou.base;

/** The clocks a timer can follow. */
public enum ClockType {
  /** Monotonic time that always runs. */
  REALTIME,
  /** Time as a guest sees it: monotonic, can be stopped. */
  VIRTUAL,
  /** Wall-clock time since the epoch; may jump. */
  HOST;

  static final ClockType[] ALL = values();
}
