package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.HeapBytes;

/**
 * Makes an image forget everything in one go: it gets the tables of a new image, and the file the
 * length of one. Meanwhile the image says that its counts have to be repaired, so that a power cut
 * leaves one that shows what is below from some place on, and whose repair finds the rest free.
 */
final class EmptyPath {
  /** The header, the table of counts, one block of them; then comes the first level. */
  private static final long TABLE_CLUSTER = 1;

  private static final long BLOCK_CLUSTER = 2;
  private static final long FIRST_LEVEL_CLUSTER = 3;
  private static final int HEADER_FIRST_LEVEL_FIELD = 40;

  private final Qcow2Image image;
  private final Geometry geometry;
  private final WritePath writes;
  private final Edge file;

  EmptyPath(Qcow2Image image, WritePath writes) {
    this.image = image;
    this.geometry = image.geometry();
    this.writes = writes;
    this.file = image.file();
  }

  /**
   * Empties the image if nothing but the disk refers to its clusters, and if one block can count
   * those of a new one; it is on the disk when this returns.
   *
   * @return false if the image cannot be emptied like that, and is as it was
   */
  @InCoroutine
  boolean empty() throws BlockException {
    image.metadata().lock();
    try {
      // Whoever fills clusters is going to tell the tables so.
      writes.awaitAllFilled();
      if (!isPossible()) {
        return false;
      }
      image.damage().check();
      image.uses().awaitEarlier();
      image.beginRestructuring();
      forgetFirstLevel();
      boolean done = false;
      try {
        replaceTables();
        done = true;
      } finally {
        if (!done) {
          image.damage().giveUp();
        }
      }
      cut();
      image.endRestructuring();
      return true;
    } finally {
      image.metadata().unlock();
    }
  }

  private boolean isPossible() {
    return image.isVersion3()
        && !image.isExternal()
        && image.encryption() == null
        && image.snapshots().snapshots().isEmpty()
        && image.bitmaps().tables().isEmpty()
        && clusters() <= geometry.refcountsPerBlock();
  }

  private long firstLevelClusters() {
    long entries = image.map().firstLevel().length;
    return geometry.clustersOf(entries * Geometry.ENTRY_BYTES);
  }

  /** How many clusters the image has in the end. */
  private long clusters() {
    return FIRST_LEVEL_CLUSTER + firstLevelClusters();
  }

  /** No entry leads anywhere any more, and that is on the disk. */
  private void forgetFirstLevel() throws BlockException {
    long offset = image.map().firstLevelOffset();
    file.announce(DebugEvent.L1_UPDATE);
    try {
      zero(offset, firstLevelClusters() << geometry.clusterBits());
    } catch (BlockException e) {
      restoreFirstLevel(offset);
      throw e;
    }
  }

  private void restoreFirstLevel(long offset) {
    try {
      HeapBytes.write(file, offset, HeapBytes.bigEndian(image.map().firstLevel()));
      image.endRestructuring();
    } catch (BlockException e) {
      image.damage().giveUp();
    }
  }

  private void zero(long offset, long bytes) throws BlockException {
    if (bytes > 0) {
      file.writeZeroes(offset, bytes, RequestFlags.NONE);
      file.flush();
    }
  }

  /** What is overwritten is data, second levels and counts, none of which matter any more. */
  private void replaceTables() throws BlockException {
    int bits = geometry.clusterBits();
    file.announce(DebugEvent.EMPTY_IMAGE_PREPARE);
    zero(TABLE_CLUSTER << bits, clusters() - TABLE_CLUSTER << bits);
    ByteBuffer fields = ByteBuffer.allocate(2 * Long.BYTES + Integer.BYTES);
    fields.putLong(FIRST_LEVEL_CLUSTER << bits).putLong(TABLE_CLUSTER << bits).putInt(1);
    HeaderFields.write(file, image.damage(), HEADER_FIRST_LEVEL_FIELD, fields.array());
    image.map().slices().forgetAll();
    image.map().switchTo(FIRST_LEVEL_CLUSTER << bits, new long[image.map().firstLevel().length]);
    image.refcounts().restart(TABLE_CLUSTER << bits, BLOCK_CLUSTER << bits, clusters());
    image.allocator().restart(file.lengthBytes());
    image.noteMetadata();
  }

  private void cut() throws BlockException {
    long bytes = clusters() << geometry.clusterBits();
    if (file.lengthBytes() > bytes) {
      file.truncate(bytes, false, PreallocationMode.OFF);
      image.allocator().restart(file.lengthBytes());
    }
  }
}
