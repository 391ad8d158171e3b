package org.tinamou.block.throttle;

/**
 * One limit, in units (bytes or requests) per second.
 *
 * @param average the rate in the long run; 0 for no limit
 * @param burst the rate during a burst; 0 for a tenth of a second's worth of the average at once
 * @param burstSeconds how long a burst may last, unsigned
 */
public record ThrottleLimit(long average, long burst, long burstSeconds) {
  /** No limit. */
  public static final ThrottleLimit NONE = new ThrottleLimit(0, 0, 1);

  /** A limit without bursts. */
  public static ThrottleLimit of(long average) {
    return new ThrottleLimit(average, 0, 1);
  }

  /** A limit with bursts. */
  public static ThrottleLimit of(long average, long burst, long burstSeconds) {
    return new ThrottleLimit(average, burst, burstSeconds);
  }

  boolean isSet() {
    return average != 0 || burst != 0;
  }
}
