package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/**
 * Changes the header of an image that is in use. The header lies in sectors, each of which a power
 * cut leaves as it was or as it was to become, and nobody may find old and new ones that do not fit
 * together.
 */
final class HeaderFields {
  private static final int SECTOR_BYTES = 512;
  private static final int BACKING_OFFSET_FIELD = 8;
  static final int SIZE_FIELD = 24;
  static final int SNAPSHOT_FIELDS = 60;
  static final int INCOMPATIBLE_FIELD = 72;
  private static final int AUTOCLEAR_FIELD = 88;

  private HeaderFields() {}

  /**
   * Writes fields that are in one sector; they are on the disk when this returns. If that fails
   * they are as before; if even that cannot be said, the image takes no more requests.
   */
  static void write(Edge file, Damage damage, int offset, byte[] fields) throws BlockException {
    byte[] before = HeapBytes.read(file, offset, fields.length);
    try {
      HeapBytes.write(file, offset, fields);
      file.flush();
    } catch (BlockException e) {
      try {
        HeapBytes.write(file, offset, before);
        file.flush();
      } catch (BlockException again) {
        damage.headerUnknown();
      }
      throw e;
    }
  }

  /** Writes those bits to the header of an image; they are on the disk when this returns. */
  static void writeIncompatible(Edge file, long bits) throws BlockException {
    byte[] field = ByteBuffer.allocate(Long.BYTES).putLong(0, bits).array();
    HeapBytes.write(file, INCOMPATIBLE_FIELD, field);
    file.flush();
  }

  /** Writes the bits that say what is up to date; they are on the disk when this returns. */
  static void writeAutoclear(Edge file, long bits) throws BlockException {
    byte[] field = ByteBuffer.allocate(Long.BYTES).putLong(0, bits).array();
    HeapBytes.write(file, AUTOCLEAR_FIELD, field);
    file.flush();
  }

  /**
   * Writes another header, its extensions and the name of the backing file; they are on the disk
   * when this returns.
   *
   * @param before what is in the file
   * @param after what is to be there
   * @param bytes the same as bytes, with what nobody knows the meaning of; no longer than a cluster
   */
  static void rewrite(Edge file, Qcow2Header before, Qcow2Header after, byte[] bytes)
      throws BlockException {
    int cluster = after.geometry().clusterBytes();
    byte[] now = HeapBytes.read(file, 0, cluster);
    byte[] wanted = Arrays.copyOf(bytes, cluster);
    if (!isChangedBeyondOneSector(now, wanted)
        || !rewriteInSteps(file, before, after, now, bytes)) {
      HeapBytes.write(file, 0, wanted);
      file.flush();
    }
  }

  private static boolean isChangedBeyondOneSector(byte[] now, byte[] wanted) {
    int first = Arrays.mismatch(now, wanted);
    if (first < 0) {
      return false;
    }
    int next = (first / SECTOR_BYTES + 1) * SECTOR_BYTES;
    return next < now.length
        && Arrays.mismatch(now, next, now.length, wanted, next, wanted.length) >= 0;
  }

  /** Whether {@link #rewrite} leaves either header after a power cut at any moment. */
  static boolean canStepTo(Edge file, Qcow2Header before, Qcow2Header after) throws BlockException {
    byte[] now = HeapBytes.read(file, 0, after.geometry().clusterBytes());
    return slim(after).endOfExtensions() <= SECTOR_BYTES && place(before, after, now) >= 0;
  }

  private static Qcow2Header slim(Qcow2Header after) {
    return after.with(after.extensionsWithout(HeaderExtension.FEATURE_NAMES), after.autoclear());
  }

  /** Where the name goes; 0 if there is none, -1 if there is no room for it. */
  private static int place(Qcow2Header before, Qcow2Header after, byte[] now) {
    return after.backingNameBytes().length == 0 ? 0 : placeOfName(before, after, now);
  }

  /**
   * First the name, at a place that the present header does not use; then a first sector that does
   * without what is in other ones; then those, and the first sector as it is to be.
   *
   * @return false if there is no room for that
   */
  private static boolean rewriteInSteps(
      Edge file, Qcow2Header before, Qcow2Header after, byte[] now, byte[] bytes)
      throws BlockException {
    Qcow2Header slim = slim(after);
    byte[] name = after.backingNameBytes();
    int end = after.endOfExtensions();
    int place = place(before, after, now);
    if (slim.endOfExtensions() > SECTOR_BYTES || place < 0) {
      return false;
    }
    if (place > 0) {
      HeapBytes.write(file, place, name);
      file.flush();
    }
    if (end > SECTOR_BYTES) {
      HeapBytes.write(file, 0, firstSector(bytes, slim.serialise(place), slim));
      file.flush();
      HeapBytes.write(file, SECTOR_BYTES, Arrays.copyOfRange(bytes, SECTOR_BYTES, end));
      file.flush();
    }
    HeapBytes.write(file, 0, firstSector(bytes, after.serialise(place), after));
    file.flush();
    return true;
  }

  /** With the fields that nobody knows. */
  private static byte[] firstSector(byte[] whole, byte[] serialised, Qcow2Header header) {
    byte[] sector = Arrays.copyOf(serialised, SECTOR_BYTES);
    int known = Math.min(Qcow2Header.FULL_BYTES, header.headerBytes());
    System.arraycopy(whole, known, sector, known, header.headerBytes() - known);
    return sector;
  }

  /** Behind the new extensions, and where the present header has nothing; -1 if that is nowhere. */
  private static int placeOfName(Qcow2Header before, Qcow2Header after, byte[] now) {
    int length = after.backingNameBytes().length;
    int end = Math.max(before.endOfExtensions(), after.endOfExtensions());
    int earliest = Math.max(end, SECTOR_BYTES);
    int from = (int) ByteBuffer.wrap(now).getLong(BACKING_OFFSET_FIELD);
    int to = from + before.backingNameBytes().length;
    int place = from < earliest + length && earliest < to ? Math.max(earliest, to) : earliest;
    return place + length <= after.geometry().clusterBytes() ? place : -1;
  }
}
