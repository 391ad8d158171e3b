package org.tinamou.block.throttle;

/** The buckets of a group and the time up to which they have leaked. Guarded by the group. */
final class ThrottleState {
  private final LeakyBucket bytesTotal = new LeakyBucket();
  private final LeakyBucket requestsTotal = new LeakyBucket();
  private final LeakyBucket[] bytes = {new LeakyBucket(), new LeakyBucket()};
  private final LeakyBucket[] requests = {new LeakyBucket(), new LeakyBucket()};
  private ThrottleConfig config;
  private long leakedUntilNanos;

  ThrottleState(ThrottleConfig config, long nowNanos) {
    this.config = config;
    configure(config, nowNanos);
  }

  ThrottleConfig config() {
    return config;
  }

  /** Sets other limits and empties the buckets. */
  void configure(ThrottleConfig newConfig, long nowNanos) {
    config = newConfig;
    leakedUntilNanos = nowNanos;
    bytesTotal.configure(config.bytesTotal());
    requestsTotal.configure(config.requestsTotal());
    bytes[Direction.READ.ordinal()].configure(config.bytesRead());
    bytes[Direction.WRITE.ordinal()].configure(config.bytesWrite());
    requests[Direction.READ.ordinal()].configure(config.requestsRead());
    requests[Direction.WRITE.ordinal()].configure(config.requestsWrite());
  }

  private void leak(long nowNanos) {
    // Loops read their clocks one after another: never go back.
    long elapsed = nowNanos - leakedUntilNanos;
    if (elapsed <= 0) {
      return;
    }
    leakedUntilNanos = nowNanos;
    bytesTotal.leak(elapsed);
    requestsTotal.leak(elapsed);
    for (int i = 0; i < 2; i++) {
      bytes[i].leak(elapsed);
      requests[i].leak(elapsed);
    }
  }

  /** How long requests of the direction have to wait from now on; 0 if one may go. */
  long waitNanos(Direction direction, long nowNanos) {
    leak(nowNanos);
    int way = direction.ordinal();
    long total = Math.max(bytesTotal.waitNanos(), requestsTotal.waitNanos());
    long own = Math.max(bytes[way].waitNanos(), requests[way].waitNanos());
    return Math.max(total, own);
  }

  /** A request goes. */
  void account(Direction direction, long sizeBytes, long nowNanos) {
    leak(nowNanos);
    int way = direction.ordinal();
    double units = 1;
    if (config.requestBytes() > 0 && sizeBytes > config.requestBytes()) {
      units = (double) sizeBytes / config.requestBytes();
    }
    bytesTotal.pour((double) sizeBytes);
    bytes[way].pour((double) sizeBytes);
    requestsTotal.pour(units);
    requests[way].pour(units);
  }
}
