package org.tinamou.drivers;

import java.lang.foreign.MemorySegment;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.drivers.crypto.SectorCipher;

/**
 * Encryption of requests: what was read is decrypted where it is; what is to be written stays as it
 * is and is encrypted to other memory, of which there are pieces here.
 */
public final class EncryptedSectors {
  /** The size of one piece of memory. */
  public static final int PIECE_BYTES = 1 << 20;

  private final SectorCipher cipher;
  private final MemoryPool pool = new MemoryPool(PIECE_BYTES);

  public EncryptedSectors(SectorCipher cipher) {
    this.cipher = cipher;
  }

  /** Memory of {@value #PIECE_BYTES} for what is encrypted; {@link #give} takes it back. */
  @InCoroutine
  public MemorySegment take() {
    return pool.take();
  }

  /** Takes back a piece. */
  @AnyThread
  public void give(MemorySegment memory) {
    pool.give(memory);
  }

  /**
   * Decrypts whole sectors.
   *
   * @param place what tells the first sector's number, a multiple of 512
   */
  @InCoroutine
  public void decrypt(IoVector data, long place) {
    if (isInWholeSectors(data)) {
      long at = place;
      for (MemorySegment segment : data.segments()) {
        cipher.decrypt(segment, segment, at / SectorCipher.SECTOR_BYTES);
        at += segment.byteSize();
      }
      return;
    }
    MemorySegment memory = pool.take();
    try {
      for (long done = 0; done < data.sizeBytes(); done += PIECE_BYTES) {
        IoVector part = data.slice(done, Math.min(PIECE_BYTES, data.sizeBytes() - done));
        MemorySegment piece = memory.asSlice(0, part.sizeBytes());
        gather(part, piece);
        cipher.decrypt(piece, piece, (place + done) / SectorCipher.SECTOR_BYTES);
        long from = 0;
        for (MemorySegment segment : part.segments()) {
          segment.copyFrom(piece.asSlice(from, segment.byteSize()));
          from += segment.byteSize();
        }
      }
    } finally {
      pool.give(memory);
    }
  }

  /**
   * Encrypts whole sectors.
   *
   * @param to as long as the data
   * @param place what tells the first sector's number, a multiple of 512
   */
  @AnyThread
  public void encrypt(IoVector data, MemorySegment to, long place) {
    if (!isInWholeSectors(data)) {
      gather(data, to);
      cipher.encrypt(to, to, place / SectorCipher.SECTOR_BYTES);
      return;
    }
    long done = 0;
    for (MemorySegment segment : data.segments()) {
      long sector = (place + done) / SectorCipher.SECTOR_BYTES;
      cipher.encrypt(segment, to.asSlice(done, segment.byteSize()), sector);
      done += segment.byteSize();
    }
  }

  private static void gather(IoVector data, MemorySegment to) {
    long done = 0;
    for (MemorySegment segment : data.segments()) {
      to.asSlice(done, segment.byteSize()).copyFrom(segment);
      done += segment.byteSize();
    }
  }

  private static boolean isInWholeSectors(IoVector data) {
    for (MemorySegment segment : data.segments()) {
      if (segment.byteSize() % SectorCipher.SECTOR_BYTES != 0) {
        return false;
      }
    }
    return true;
  }

  /** Frees the memory, which nobody uses any more. */
  @AnyThread
  public void close() {
    pool.close();
  }
}
