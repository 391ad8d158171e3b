package org.tinamou.drivers.crypto;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Check;

/**
 * Encrypts and decrypts sectors of {@value #SECTOR_BYTES} bytes, each by its number. Any number of
 * threads may use it at once. It waits for nothing.
 */
public final class SectorCipher {
  public static final int SECTOR_BYTES = 512;

  /**
   * What is done with the sectors.
   *
   * @param ivHash what hashes the key for {@link IvAlgorithm#ESSIV}; else it is not used
   */
  public record Spec(
      CipherAlgorithm algorithm,
      CipherMode mode,
      IvAlgorithm ivAlgorithm,
      @Nullable HashAlgorithm ivHash) {
    /** The length of its key. */
    @AnyThread
    public int keyBytes() {
      return algorithm.keyBytes() * mode.keys();
    }

    /** The cipher that hides sector numbers, or null if there is none with a key as long. */
    @AnyThread
    public @Nullable CipherAlgorithm ivCipher() {
      return ivHash == null ? null : CipherAlgorithm.of(algorithm.family(), ivHash.digestBytes());
    }
  }

  private final Spec spec;
  private final byte[] key;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<SectorBatch> idle = new ArrayDeque<>();

  /**
   * A cipher with a key.
   *
   * @param spec one whose parts fit each other
   * @param key of which a copy is kept
   */
  public SectorCipher(Spec spec, byte[] key) {
    Check.argument(key.length == spec.keyBytes(), "a key of %s bytes", key.length);
    this.spec = spec;
    this.key = key.clone();
    // The JDK initialises its ciphers under locks: not for the first time on several loops at once.
    idle.add(new SectorBatch(spec, key));
  }

  /**
   * Encrypts whole sectors.
   *
   * @param to as long as {@code from}, and may be the same memory
   */
  @AnyThread
  public void encrypt(MemorySegment from, MemorySegment to, long firstSector) {
    run(from, to, firstSector, true);
  }

  /**
   * Decrypts whole sectors.
   *
   * @param to as long as {@code from}, and may be the same memory
   */
  @AnyThread
  public void decrypt(MemorySegment from, MemorySegment to, long firstSector) {
    run(from, to, firstSector, false);
  }

  private void run(MemorySegment from, MemorySegment to, long firstSector, boolean encrypting) {
    long length = from.byteSize();
    Check.argument(length % SECTOR_BYTES == 0 && to.byteSize() == length, "%s bytes", length);
    SectorBatch batch = take();
    try {
      for (long done = 0; done < length; done += SectorBatch.BYTES) {
        int bytes = (int) Math.min(SectorBatch.BYTES, length - done);
        long sector = firstSector + done / SECTOR_BYTES;
        batch.run(from.asSlice(done, bytes), to.asSlice(done, bytes), sector, encrypting);
      }
    } finally {
      give(batch);
    }
  }

  private SectorBatch take() {
    lock.lock();
    try {
      SectorBatch batch = idle.pollLast();
      if (batch != null) {
        return batch;
      }
    } finally {
      lock.unlock();
    }
    return new SectorBatch(spec, key);
  }

  private void give(SectorBatch batch) {
    lock.lock();
    try {
      idle.addLast(batch);
    } finally {
      lock.unlock();
    }
  }
}
