package org.tinamou.drivers.crypto;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;

/** Keys from passwords (PBKDF2). This takes long on purpose: it belongs on a worker. */
public final class KeyDerivation {
  /** So often it is asked whether the key is still wanted. */
  private static final int ITERATIONS_BETWEEN_QUESTIONS = 1 << 14;

  private static final long FIRST_TRIAL = 1 << 12;
  private static final long LAST_TRIAL = 1 << 22;
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private final HashAlgorithm hash;
  private final BooleanSupplier cancelled;

  /**
   * A way to derive keys.
   *
   * @param cancelled asked now and then, by whatever thread derives a key
   */
  public KeyDerivation(HashAlgorithm hash, BooleanSupplier cancelled) {
    this.hash = hash;
    this.cancelled = cancelled;
  }

  /**
   * Derives a key.
   *
   * @param iterations at least one
   * @throws CancellationException if it is not wanted any more
   */
  @AnyThread
  public byte[] derive(byte[] password, byte[] salt, long iterations, int keyBytes) {
    Check.argument(iterations > 0, "no iterations");
    HashAlgorithm.Hasher mac = hash.keyed(macKey(password));
    int digestBytes = hash.digestBytes();
    byte[] key = new byte[keyBytes];
    byte[] round = new byte[digestBytes];
    byte[] sum = new byte[digestBytes];
    for (int at = 0, number = 1; at < keyBytes; at += digestBytes, number++) {
      mac.update(salt, 0, salt.length);
      mac.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, number).array(), 0, Integer.BYTES);
      mac.finish(round, 0);
      System.arraycopy(round, 0, sum, 0, digestBytes);
      for (long left = iterations - 1; left > 0; left -= ITERATIONS_BETWEEN_QUESTIONS) {
        if (cancelled.getAsBoolean()) {
          throw new CancellationException("key derivation");
        }
        iterate(mac, round, sum, (int) Math.min(left, ITERATIONS_BETWEEN_QUESTIONS));
      }
      System.arraycopy(sum, 0, key, at, Math.min(digestBytes, keyBytes - at));
    }
    Arrays.fill(sum, (byte) 0);
    return key;
  }

  private static void iterate(HashAlgorithm.Hasher mac, byte[] round, byte[] sum, int times) {
    for (int i = 0; i < times; i++) {
      mac.update(round, 0, round.length);
      mac.finish(round, 0);
      for (int at = 0; at < sum.length; at++) {
        sum[at] ^= round[at];
      }
    }
  }

  /** The JDK takes no empty key; zeroes behind a short one change nothing. */
  private static byte[] macKey(byte[] password) {
    return password.length == 0 ? new byte[1] : password;
  }

  /**
   * How many iterations fit into a second here and now, by the wall clock.
   *
   * @param keyBytes the length of the key to be derived
   * @param trialNanos how long to try at least: code that has just been started is slow
   */
  @AnyThread
  public long iterationsPerSecond(Clocks clocks, int keyBytes, long trialNanos) {
    byte[] password = new byte[16];
    byte[] salt = new byte[32];
    long trial = FIRST_TRIAL;
    while (true) {
      long start = clocks.nanos(ClockType.REALTIME);
      derive(password, salt, trial, keyBytes);
      long nanos = Math.max(1, clocks.nanos(ClockType.REALTIME) - start);
      if (nanos >= trialNanos || trial >= LAST_TRIAL) {
        return Math.max(1, (long) ((double) trial * NANOS_PER_SECOND / nanos));
      }
      trial *= 2;
    }
  }
}
