package org.tinamou.drivers.format.qcow2;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;

/**
 * Where an image's tables are in the file, so that nothing is ever written over them by mistake.
 * All calls come from holders of the metadata lock.
 */
final class MetadataMap {
  /** The kinds of tables; the first one that is hit is told. */
  enum Part {
    HEADER("main-header", "qcow2_header"),
    ACTIVE_FIRST_LEVEL("active-l1", "active L1 table"),
    ACTIVE_SECOND_LEVEL("active-l2", "active L2 table"),
    REFCOUNT_TABLE("refcount-table", "refcount table"),
    REFCOUNT_BLOCK("refcount-block", "refcount block"),
    SNAPSHOT_TABLE("snapshot-table", "snapshot table"),
    INACTIVE_FIRST_LEVEL("inactive-l1", "inactive L1 table"),
    INACTIVE_SECOND_LEVEL("inactive-l2", "inactive L2 table"),
    BITMAP_DIRECTORY("bitmap-directory", "bitmap directory");

    private final String option;
    private final String text;

    Part(String option, String text) {
      this.option = option;
      this.text = text;
    }

    /** The option's name behind {@code overlap-check.}. */
    String option() {
      return option;
    }
  }

  /** What needs no reading to be known. */
  static final Set<Part> CONSTANT =
      EnumSet.of(
          Part.HEADER,
          Part.ACTIVE_FIRST_LEVEL,
          Part.REFCOUNT_TABLE,
          Part.SNAPSHOT_TABLE,
          Part.BITMAP_DIRECTORY);

  /** What is in memory anyway. */
  static final Set<Part> CACHED = EnumSet.complementOf(EnumSet.of(Part.INACTIVE_SECOND_LEVEL));

  private record Range(Part part, long start, long end) {}

  private static final int FIRST_SLOTS = 64;
  private static final byte TABLE = 1;
  private static final byte BLOCK = 2;
  private static final byte INACTIVE_TABLE = 4;

  private final Geometry geometry;
  private Set<Part> checked;
  private final List<Range> ranges = new ArrayList<>();

  /** Cluster numbers and what is there; 0 is a free slot, as the header is a range. */
  private long[] clusters = new long[FIRST_SLOTS];

  private byte[] kinds = new byte[FIRST_SLOTS];
  private int used;
  private volatile @Nullable BlockException unknown;

  MetadataMap(Geometry geometry, Set<Part> checked) {
    this.geometry = geometry;
    this.checked = checked;
  }

  /** Checks other parts from now on; what was noted stands for those of before. */
  void check(Set<Part> other) {
    checked = other;
  }

  /** Forgets everything. */
  void clear() {
    unknown = null;
    ranges.clear();
    clusters = new long[FIRST_SLOTS];
    kinds = new byte[FIRST_SLOTS];
    used = 0;
  }

  /** Notes a part that lies in one piece. */
  void add(Part part, long start, long bytes) {
    if (bytes > 0 && checked.contains(part)) {
      ranges.add(new Range(part, start, start + bytes));
    }
  }

  /** The one part of its kind is elsewhere from now on. */
  void move(Part part, long start, long bytes) {
    ranges.removeIf(range -> range.part == part);
    add(part, start, bytes);
  }

  void addTable(long offset) {
    if (checked.contains(Part.ACTIVE_SECOND_LEVEL)) {
      put(offset, TABLE);
    }
  }

  void addBlock(long offset) {
    if (checked.contains(Part.REFCOUNT_BLOCK)) {
      put(offset, BLOCK);
    }
  }

  /** Whether a part is looked at. */
  boolean checks(Part part) {
    return checked.contains(part);
  }

  void addInactiveTable(long offset) {
    put(offset, INACTIVE_TABLE);
  }

  /** Where a part is that is looked at cannot be told. */
  void lacks(BlockException why) {
    unknown = why;
  }

  /** Fails while nobody knows what has to be kept. Any thread. */
  void requireComplete() throws BlockException {
    BlockException why = unknown;
    if (why != null) {
      throw new BlockException(why.errno(), String.valueOf(why.getMessage()));
    }
  }

  /** There is no second-level table any more. */
  void removeTable(long offset) {
    int slot = slot(geometry.clusterIndex(offset));
    kinds[slot] &= ~TABLE;
  }

  private int slot(long cluster) {
    int mask = clusters.length - 1;
    int slot = (int) (cluster * 0x9E3779B97F4A7C15L >>> 40) & mask;
    while (clusters[slot] != 0 && clusters[slot] != cluster) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private void put(long offset, byte kind) {
    long cluster = geometry.clusterIndex(offset);
    if (cluster == 0) {
      return;
    }
    int slot = slot(cluster);
    if (clusters[slot] == 0) {
      used++;
      clusters[slot] = cluster;
      if (used * 2 > clusters.length) {
        grow();
        slot = slot(cluster);
      }
    }
    kinds[slot] |= kind;
  }

  private void grow() {
    long[] oldClusters = clusters;
    byte[] oldKinds = kinds;
    clusters = new long[oldClusters.length * 2];
    kinds = new byte[clusters.length];
    for (int i = 0; i < oldClusters.length; i++) {
      if (oldClusters[i] != 0) {
        int slot = slot(oldClusters[i]);
        clusters[slot] = oldClusters[i];
        kinds[slot] = oldKinds[i];
      }
    }
  }

  /**
   * The first part that a piece of the file overlaps with, in words; null for none.
   *
   * @param except what the piece is itself
   */
  @Nullable String overlap(long start, long bytes, @Nullable Part except) {
    Part hit = null;
    for (Range range : ranges) {
      if (range.part != except && start < range.end && start + bytes > range.start) {
        hit = first(hit, range.part);
      }
    }
    long last = geometry.clusterIndex(start + bytes - 1);
    for (long cluster = geometry.clusterIndex(start); cluster <= last; cluster++) {
      byte kind = cluster == 0 ? 0 : kinds[slot(cluster)];
      if ((kind & TABLE) != 0 && except != Part.ACTIVE_SECOND_LEVEL) {
        hit = first(hit, Part.ACTIVE_SECOND_LEVEL);
      }
      if ((kind & BLOCK) != 0 && except != Part.REFCOUNT_BLOCK) {
        hit = first(hit, Part.REFCOUNT_BLOCK);
      }
      if ((kind & INACTIVE_TABLE) != 0 && except == null) {
        hit = first(hit, Part.INACTIVE_SECOND_LEVEL);
      }
    }
    return hit == null ? null : hit.text;
  }

  private static Part first(@Nullable Part one, Part other) {
    return one == null || other.compareTo(one) < 0 ? other : one;
  }
}
