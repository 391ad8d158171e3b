package org.tinamou.drivers.format.luks;

import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Clocks;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.crypto.HashAlgorithm;
import org.tinamou.drivers.crypto.KeyDerivation;

/**
 * How keys are derived: on workers of a loop, by its clocks, within a limit.
 *
 * @param limit so many iterations may be asked for by an image in all
 * @param fixedIterations for new keys, whatever time they take; 0 to go by time
 * @param cancelled asked now and then on the worker; true ends the work with ECANCELED
 * @param random where new keys come from
 */
public record KeyWork(
    AioContext context,
    Clocks clocks,
    long limit,
    long fixedIterations,
    BooleanSupplier cancelled,
    RandomGenerator random) {
  /** Some ten seconds or half a minute, where the usual is two seconds. */
  public static final long DEFAULT_LIMIT = 100_000_000;

  private static final long LEAST_ITERATIONS = 1000;
  private static final long MOST_ITERATIONS = 0xffff_ffffL;
  private static final long MILLIS_PER_SECOND = 1000;
  private static final long NANOS_PER_MILLI = 1_000_000;
  private static final long LEAST_TRIAL_MILLIS = 20;
  private static final long MOST_TRIAL_MILLIS = 150;

  /** How a driver comes by its way to derive keys; {@link LuksType#work} is the programs'. */
  @FunctionalInterface
  public interface Maker {
    /**
     * The way for an image.
     *
     * @param limit so many iterations the image may ask for, or null for the usual
     */
    @AnyThread
    KeyWork make(AioContext context, @Nullable Long limit);
  }

  /** Something that takes long. */
  @FunctionalInterface
  interface Job<T extends @Nullable Object> {
    T run(KeyDerivation derivation) throws BlockException;
  }

  /** Runs a job on a worker. */
  @InCoroutine
  <T extends @Nullable Object> T run(HashAlgorithm hash, Job<T> job) throws BlockException {
    try {
      return context.callBlocking(() -> job.run(new KeyDerivation(hash, cancelled)));
    } catch (CancellationException e) {
      throw BlockException.of(Errno.ECANCELED, "Key derivation was given up");
    }
  }

  /** Refuses images that ask for too much. */
  void checkLimit(long iterations) throws BlockException {
    if (iterations > limit) {
      throw new BlockException(
          Errno.EINVAL,
          "Unlocking the volume may take "
              + iterations
              + " iterations of key derivation, which is more than key-iterations-limit="
              + limit);
    }
  }

  /**
   * How many iterations a new key gets, on a worker.
   *
   * @param millis how long they are to take
   * @param share what part of that
   */
  long iterations(KeyDerivation derivation, int keyBytes, long millis, int share)
      throws BlockException {
    if (fixedIterations > 0) {
      return Math.max(1, fixedIterations / share);
    }
    long perSecond =
        derivation.iterationsPerSecond(
            clocks,
            keyBytes,
            Math.clamp(millis, LEAST_TRIAL_MILLIS, MOST_TRIAL_MILLIS) * NANOS_PER_MILLI);
    if (Long.compareUnsigned(millis, Long.divideUnsigned(-1, perSecond)) > 0) {
      throw BlockException.of(
          Errno.ERANGE, "PBKDF iterations " + perSecond + " too large to scale");
    }
    long scaled = Long.divideUnsigned(perSecond * millis, MILLIS_PER_SECOND * share);
    if (Long.compareUnsigned(scaled, MOST_ITERATIONS) > 0) {
      throw BlockException.of(
          Errno.ERANGE,
          "PBKDF iterations " + Long.toUnsignedString(scaled) + " larger than " + MOST_ITERATIONS);
    }
    return Math.max(LEAST_ITERATIONS, scaled);
  }
}
