package org.tinamou.block.bitmap;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * One bit for each granule of a node: dirty or clean. Memory follows the number of separate dirty
 * areas, not the size of the node.
 *
 * <p>Thread rule: marking, resetting, looking and iterating may happen on any thread at any time,
 * also all at once; locks are held for single steps and never across a park. A search never passes
 * a granule that stays dirty (or clean) all through the call. What changes the bitmap's state (its
 * flags, successor, size, {@link #merge} and {@link #restore}) belongs to the main loop.
 */
public final class DirtyBitmap {
  /** What somebody wants to do with a bitmap, and so what forbids it. */
  public enum Use {
    /** Change the contents: not while busy, read-only or inconsistent. */
    MODIFY,
    /** Look at the contents, enable or disable: not while busy or inconsistent. */
    READ,
    /** Remove it: not while busy or read-only. */
    REMOVE
  }

  /** The finest granularity. */
  public static final long MIN_GRANULARITY_BYTES = 512;

  /** The coarsest granularity. */
  public static final long MAX_GRANULARITY_BYTES = 1L << 31;

  private static final long MIN_DEFAULT_BYTES = 4 << 10;
  private static final long MAX_DEFAULT_BYTES = 64 << 10;
  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final int granularityBits;
  private final StripedBits bits = new StripedBits();
  private volatile long sizeBytes;
  private volatile @Nullable String name;
  private volatile boolean disabled;
  private volatile boolean busy;
  private volatile boolean readOnly;
  private volatile boolean persistent;
  private volatile boolean inconsistent;
  private volatile @Nullable DirtyBitmap successor;

  /**
   * A clean, enabled bitmap that belongs to no node: for jobs.
   *
   * @param name null for a bitmap that nobody can refer to
   * @param sizeBytes the size of what it describes
   * @param granularityBytes a power of two from 512 to 2 GiB
   * @throws BlockException if the granularity is not allowed
   */
  public DirtyBitmap(@Nullable String name, long sizeBytes, long granularityBytes)
      throws BlockException {
    Check.argument(sizeBytes >= 0, "negative size: %s", sizeBytes);
    if (granularityBytes < MIN_GRANULARITY_BYTES
        || granularityBytes > MAX_GRANULARITY_BYTES
        || Long.bitCount(granularityBytes) != 1) {
      throw new BlockException(
          Errno.EINVAL, "Granularity must be power of 2 and at least " + MIN_GRANULARITY_BYTES);
    }
    this.name = name;
    this.sizeBytes = sizeBytes;
    this.granularityBits = Long.numberOfTrailingZeros(granularityBytes);
  }

  private DirtyBitmap(DirtyBitmap parent) {
    this.sizeBytes = parent.sizeBytes;
    this.granularityBits = parent.granularityBits;
    this.disabled = parent.disabled;
  }

  /**
   * The granularity to use where the user gave none.
   *
   * @param clusterBytes the cluster size of the image, or 0 if it has none
   */
  public static long defaultGranularityBytes(long clusterBytes) {
    return clusterBytes > 0
        ? Math.clamp(clusterBytes, MIN_DEFAULT_BYTES, MAX_DEFAULT_BYTES)
        : MAX_DEFAULT_BYTES;
  }

  // ------------------------------------------------------------------------- identity and state

  /** The name, or null: then no user can refer to it. */
  public @Nullable String name() {
    return name;
  }

  public long sizeBytes() {
    return sizeBytes;
  }

  public long granularityBytes() {
    return 1L << granularityBits;
  }

  /** The dirty granules in bytes; the last one counts whole even if the node ends inside of it. */
  public long countBytes() {
    return bits.count() << granularityBits;
  }

  /** Whether writes are marked here. */
  public boolean isEnabled() {
    return !disabled;
  }

  /** Whether writes are marked here or in the successor. */
  public boolean isRecording() {
    DirtyBitmap next = successor;
    return !disabled || (next != null && !next.disabled);
  }

  public boolean isBusy() {
    return busy;
  }

  public boolean isReadOnly() {
    return readOnly;
  }

  public boolean isPersistent() {
    return persistent;
  }

  public boolean isInconsistent() {
    return inconsistent;
  }

  /** What records writes while an operation uses the contents; null if there is none. */
  public @Nullable DirtyBitmap successor() {
    return successor;
  }

  public BitmapInfo info() {
    return new BitmapInfo(
        name, isRecording(), busy, persistent, inconsistent, granularityBytes(), countBytes());
  }

  /**
   * Refuses a use that the state forbids.
   *
   * @throws BlockException with the message for the user
   */
  public void checkUsable(Use use) throws BlockException {
    if (busy) {
      throw new BlockException(
          Errno.EBUSY,
          "Bitmap '" + name + "' is currently in use by another operation and cannot be used");
    }
    if (readOnly && use != Use.READ) {
      throw new BlockException(
          Errno.EACCES, "Bitmap '" + name + "' is readonly and cannot be modified");
    }
    if (inconsistent && use != Use.REMOVE) {
      throw new BlockException(
              Errno.EINVAL, "Bitmap '" + name + "' is inconsistent and cannot be used")
          .withHint("Try block-dirty-bitmap-remove to delete this bitmap from disk");
    }
  }

  /** Starts recording writes. */
  public void enable() {
    disabled = false;
  }

  /** Stops recording writes; the contents stay. */
  public void disable() {
    disabled = true;
  }

  /** Reserves the bitmap for an operation, or ends that. */
  public void setBusy(boolean busy) {
    this.busy = busy;
  }

  /** Forbids changes, because the image that keeps the bitmap cannot be written. */
  public void setReadOnly(boolean readOnly) {
    this.readOnly = readOnly;
  }

  /** Whether the image is to keep the bitmap. */
  public void setPersistent(boolean persistent) {
    this.persistent = persistent;
  }

  /** Declares the contents lost, for ever: the bitmap can only be removed. */
  public void setInconsistent() {
    Check.state(persistent, "%s is not persistent", this);
    disabled = true;
    inconsistent = true;
  }

  // --------------------------------------------------------------------------- marking, looking

  private long bitCount() {
    return bitsFor(sizeBytes);
  }

  private long bitsFor(long bytes) {
    return bytes == 0 ? 0 : ((bytes - 1) >>> granularityBits) + 1;
  }

  /** The first bit behind a range, where the range reaches past its last granule's start. */
  private long endBit(long offsetBytes, long lengthBytes) {
    long endBytes = offsetBytes + lengthBytes;
    return endBytes < 0 ? bitCount() : Math.min(bitCount(), bitsFor(endBytes));
  }

  private static void checkRange(long offsetBytes, long lengthBytes) {
    Check.argument(
        offsetBytes >= 0 && lengthBytes >= 0, "offset %s, length %s", offsetBytes, lengthBytes);
  }

  /**
   * Marks every granule that the range touches, also while the bitmap is disabled. What lies past
   * the end is ignored.
   */
  public void mark(long offsetBytes, long lengthBytes) {
    checkRange(offsetBytes, lengthBytes);
    Check.state(!readOnly, "%s is read-only", this);
    if (lengthBytes > 0) {
      bits.set(offsetBytes >>> granularityBits, endBit(offsetBytes, lengthBytes));
    }
  }

  /**
   * Cleans every granule that lies wholly inside the range; the last granule of the node does when
   * the range reaches the end. What lies past the end is ignored.
   */
  public void reset(long offsetBytes, long lengthBytes) {
    checkRange(offsetBytes, lengthBytes);
    Check.state(!readOnly, "%s is read-only", this);
    long from = bitsFor(offsetBytes);
    long endBytes = offsetBytes + lengthBytes;
    long end = endBytes < 0 || endBytes >= sizeBytes ? bitCount() : endBytes >>> granularityBits;
    bits.clear(from, Math.max(from, end));
  }

  /** Cleans everything and returns what was there. */
  public BitmapBackup clear() {
    Check.state(!readOnly, "%s is read-only", this);
    BitmapBackup backup = backup();
    bits.clear(0, StripedBits.MAX_BITS);
    return backup;
  }

  /** Whether the granule that contains the offset is dirty; nothing is past the end. */
  public boolean isDirty(long offsetBytes) {
    return nextDirty(offsetBytes, 1) == offsetBytes;
  }

  /** The first dirty byte of a range, or -1. */
  public long nextDirty(long offsetBytes, long lengthBytes) {
    checkRange(offsetBytes, lengthBytes);
    return offsetOf(
        bits.nextSet(offsetBytes >>> granularityBits, searchEnd(offsetBytes, lengthBytes)),
        offsetBytes);
  }

  /** The first clean byte of a range, or -1. Nothing is past the end, neither clean nor dirty. */
  public long nextClean(long offsetBytes, long lengthBytes) {
    checkRange(offsetBytes, lengthBytes);
    return offsetOf(
        bits.nextClear(offsetBytes >>> granularityBits, searchEnd(offsetBytes, lengthBytes)),
        offsetBytes);
  }

  private long searchEnd(long offsetBytes, long lengthBytes) {
    return lengthBytes == 0 || offsetBytes >= sizeBytes ? 0 : endBit(offsetBytes, lengthBytes);
  }

  private long offsetOf(long bit, long atLeastBytes) {
    return bit == StripedBits.NONE ? -1 : Math.max(bit << granularityBits, atLeastBytes);
  }

  /**
   * The first dirty part of a range, up to the range's or the node's end, or null.
   *
   * @param maxLengthBytes the area is cut off to this; more than 0
   */
  public @Nullable DirtyArea nextDirtyArea(
      long offsetBytes, long lengthBytes, long maxLengthBytes) {
    Check.argument(maxLengthBytes > 0, "maximum length %s", maxLengthBytes);
    long start = nextDirty(offsetBytes, lengthBytes);
    if (start < 0) {
      return null;
    }
    long endBytes = offsetBytes + lengthBytes;
    long limit = endBytes < 0 ? sizeBytes : Math.min(endBytes, sizeBytes);
    long length = Math.min(maxLengthBytes, limit - start);
    if (length <= 0) {
      return null;
    }
    long clean = nextClean(start, length);
    // Another thread may have cleaned the start meanwhile: it was dirty, so it is reported.
    long granuleEnd = (start | (granularityBytes() - 1)) + 1;
    if (clean >= 0) {
      length = Math.min(length, Math.max(clean, granuleEnd) - start);
    }
    return new DirtyArea(start, length);
  }

  /** Walks over the dirty granules, from the start of the node on. */
  public DirtyIterator iterator() {
    return new DirtyIterator(this);
  }

  // ------------------------------------------------------------- successors, merging, resizing

  /**
   * Reserves the contents for an operation; from now on writes are recorded in a successor, which
   * records if this did. {@link BitmapList} does it for the bitmaps of a node.
   */
  DirtyBitmap newSuccessor() {
    Check.state(successor == null && !busy, "%s is in use", this);
    DirtyBitmap next = new DirtyBitmap(this);
    successor = next;
    return next;
  }

  /** Second half of {@link #newSuccessor}, once the successor sees the writes. */
  void freeze() {
    disabled = true;
    busy = true;
  }

  /** The successor takes this bitmap's place; this one is of no use any more. */
  DirtyBitmap abdicate() {
    DirtyBitmap next = Objects.requireNonNull(successor, "no successor");
    next.name = name;
    next.persistent = persistent;
    name = null;
    persistent = false;
    successor = null;
    busy = false;
    return next;
  }

  /** Takes the successor's contents and state back; returns what was the successor. */
  DirtyBitmap reclaim() {
    DirtyBitmap next = Objects.requireNonNull(successor, "no successor");
    // Record first, so that no write falls between the two.
    disabled = next.disabled;
    union(next);
    successor = null;
    busy = false;
    return next;
  }

  /**
   * Refuses to merge what does not fit.
   *
   * @throws BlockException with the message for the user
   */
  public void checkMergeable(DirtyBitmap source) throws BlockException {
    checkUsable(Use.MODIFY);
    source.checkUsable(Use.READ);
    if (source.sizeBytes != sizeBytes) {
      throw new BlockException(
          Errno.EINVAL,
          "Bitmaps are of different sizes (destination size is "
              + sizeBytes
              + ", source size is "
              + source.sizeBytes
              + ") and can't be merged");
    }
  }

  /**
   * Marks whatever is dirty in the source, rounded out to this bitmap's granules.
   *
   * @return what was here before, to undo it
   * @throws BlockException if {@link #checkMergeable} refuses; nothing is changed then
   */
  public BitmapBackup merge(DirtyBitmap source) throws BlockException {
    checkMergeable(source);
    BitmapBackup backup = backup();
    union(source);
    return backup;
  }

  private void union(DirtyBitmap source) {
    if (source == this) {
      return;
    }
    long position = 0;
    while (true) {
      DirtyArea area =
          source.nextDirtyArea(position, Long.MAX_VALUE - position, Long.MAX_VALUE - position);
      if (area == null) {
        return;
      }
      mark(area.offsetBytes(), area.lengthBytes());
      position = area.endBytes();
    }
  }

  /** The contents as they are now. */
  public BitmapBackup backup() {
    return new BitmapBackup(this, sizeBytes, bits.copy());
  }

  /** Goes back to a backup of this bitmap at its present size; what was marked since is lost. */
  public void restore(BitmapBackup backup) {
    bits.takeFrom(backup.takeFor(this, sizeBytes));
  }

  /**
   * Follows the node to a new size. What is new is clean, what is cut off is forgotten. No write
   * beyond the new size may be under way.
   */
  public void resize(long newSizeBytes) {
    Check.argument(newSizeBytes >= 0, "negative size: %s", newSizeBytes);
    long before = bitCount();
    sizeBytes = newSizeBytes;
    bits.clear(Math.min(bitCount(), before), before);
  }

  // ------------------------------------------------------------------------------ plain bits

  /** The bytes that the 64 bits of a word stand for: what plain bits are read and written in. */
  public long wordBytes() {
    return granularityBytes() * Long.SIZE;
  }

  /** How many bytes of plain bits a range takes, rounded up to whole words. */
  public long plainBytes(long lengthBytes) {
    return Math.ceilDiv(bitsFor(lengthBytes), Long.SIZE) * Long.BYTES;
  }

  /**
   * Copies bits out: bit {@code i % 8} of byte {@code i / 8} is granule {@code i} of the range.
   *
   * @param offsetBytes a multiple of {@link #wordBytes()}
   * @param target receives all its bytes, a multiple of 8; what lies past the end reads as 0
   */
  public void readPlain(long offsetBytes, MemorySegment target) {
    long word = checkPlain(offsetBytes, target);
    for (long i = 0; i < target.byteSize(); i += Long.BYTES) {
      target.set(WORD, i, bits.word(word++));
    }
  }

  /**
   * Replaces bits, in the layout of {@link #readPlain}; those past the end are ignored.
   *
   * @param offsetBytes a multiple of {@link #wordBytes()}
   * @param source all its bytes are used, a multiple of 8
   */
  public void writePlain(long offsetBytes, MemorySegment source) {
    Check.state(!readOnly, "%s is read-only", this);
    long word = checkPlain(offsetBytes, source);
    for (long i = 0; i < source.byteSize(); i += Long.BYTES) {
      long left = bitCount() - word * Long.SIZE;
      if (left <= 0) {
        break;
      }
      long value = source.get(WORD, i);
      bits.putWord(word++, left < Long.SIZE ? value & ((1L << left) - 1) : value);
    }
  }

  private long checkPlain(long offsetBytes, MemorySegment segment) {
    Check.argument(
        offsetBytes >= 0 && offsetBytes % wordBytes() == 0 && segment.byteSize() % Long.BYTES == 0,
        "plain bits: offset %s, %s bytes",
        offsetBytes,
        segment.byteSize());
    return offsetBytes / wordBytes();
  }

  /** SHA-256 over the plain bits of the whole node, in hexadecimal; takes time with its size. */
  public String sha256() {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
    byte[] chunk = new byte[4096];
    MemorySegment segment = MemorySegment.ofArray(chunk);
    long left = plainBytes(sizeBytes);
    for (long offset = 0; left > 0; offset += chunk.length / Long.BYTES * wordBytes()) {
      int length = (int) Math.min(chunk.length, left);
      readPlain(offset, segment.asSlice(0, length));
      digest.update(chunk, 0, length);
      left -= length;
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Roughly how much memory the bits take. */
  public long memoryBytes() {
    return bits.memoryBytes();
  }

  @Override
  public String toString() {
    String label = name;
    return label == null ? "unnamed bitmap" : "bitmap " + label;
  }
}
