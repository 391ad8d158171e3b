package org.tinamou.block.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The expected waits are those that qemu-io -c "write …" showed behind a throttle filter. */
final class LeakyBucketTest {
  private static final long MIB = 1 << 20;
  private static final long SECOND = 1_000_000_000L;

  private final LeakyBucket bucket = new LeakyBucket();

  /** Does units as soon as they may be done and returns how long that took. */
  private long milliseconds(double units) {
    long wait = bucket.waitNanos();
    bucket.leak(wait);
    assertEquals(0, bucket.waitNanos(), "a wait is long enough");
    bucket.pour(units);
    return Math.round(wait / 1e6);
  }

  @Test
  void withoutBurstATenthOfASecondGoesAtOnce() {
    bucket.configure(ThrottleLimit.of(MIB));
    assertEquals(0, milliseconds(65536));
    assertEquals(0, milliseconds(65536));
    assertEquals(25, milliseconds(65536));
    for (int i = 0; i < 5; i++) {
      assertEquals(63, milliseconds(65536), "62.5");
    }
  }

  @Test
  void aRequestOfAnySizeGoesOnceTheBucketIsNotOverfull() {
    bucket.configure(ThrottleLimit.of(MIB));
    assertEquals(0, milliseconds(MIB));
    assertEquals(900, milliseconds(MIB));
    assertEquals(1000, milliseconds(MIB));
  }

  @Test
  void aSecondOfBurstGoesAtOnce() {
    bucket.configure(ThrottleLimit.of(MIB, 2 * MIB, 1));
    for (int i = 0; i < 9; i++) {
      assertEquals(0, milliseconds(262144));
    }
    assertEquals(250, milliseconds(262144));
    assertEquals(250, milliseconds(262144));
  }

  @Test
  void aLongBurstKeepsToTheBurstRate() {
    bucket.configure(ThrottleLimit.of(MIB, 2 * MIB, 2));
    assertEquals(0, milliseconds(262144));
    assertEquals(25, milliseconds(262144));
    // The bucket gains one MiB a second until its four MiB are full.
    for (int i = 0; i < 30; i++) {
      assertEquals(125, milliseconds(262144), "request " + i);
    }
    assertEquals(225, milliseconds(262144));
    assertEquals(250, milliseconds(262144));
    assertEquals(250, milliseconds(262144));
  }

  @Test
  void theDocumentedExample() {
    bucket.configure(ThrottleLimit.of(100, 2000, 60));
    long requests = 0;
    long nanos = 0;
    while (true) {
      long wait = bucket.waitNanos();
      if (wait > SECOND / 1000) {
        break;
      }
      nanos += wait;
      bucket.leak(wait);
      bucket.pour(1);
      requests++;
    }
    double seconds = nanos / 1e9;
    // 60 seconds, and 3 more for what has leaked meanwhile, and a little for that again.
    assertEquals(63.1, seconds, 0.1);
    assertEquals(2000, requests / seconds, 5);
    milliseconds(1);
    assertEquals(10, milliseconds(1));
  }

  @Test
  void unlimitedNeverWaits() {
    bucket.configure(ThrottleLimit.NONE);
    bucket.pour(1e18);
    assertEquals(0, bucket.waitNanos());
  }

  @Test
  void theLongestWaitCanBeAddedToAnyTime() {
    bucket.configure(ThrottleLimit.of(1));
    bucket.pour(1e15);
    assertTrue(bucket.waitNanos() > 0);
    assertTrue(Long.MAX_VALUE / 2 + bucket.waitNanos() > 0);
  }
}
