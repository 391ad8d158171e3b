package org.tinamou.drivers.format.qcow2;

import java.util.Arrays;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * How many first-level entries lead to each second-level table, so that a table that many share is
 * read once or twice and not as often as it is named.
 */
final class TableWeights {
  private static final int MAX_TABLES = 1 << 22;
  private static final int FIRST_SLOTS = 1 << 10;

  private long[] offsets = new long[FIRST_SLOTS];
  private int[] all = new int[FIRST_SLOTS];
  private int[] active = new int[FIRST_SLOTS];
  private int used;

  TableWeights() {
    Arrays.fill(offsets, -1);
  }

  private int slot(long offset) {
    int mask = offsets.length - 1;
    int slot = (int) ((offset >>> 9) * 0x9E3779B97F4A7C15L >>> 40) & mask;
    while (offsets[slot] != -1 && offsets[slot] != offset) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  /**
   * Counts one more entry.
   *
   * @return whether it is the first one
   */
  boolean add(long offset, boolean isActive) throws BlockException {
    int slot = slot(offset);
    boolean first = offsets[slot] == -1;
    if (first) {
      if (used == MAX_TABLES) {
        throw BlockException.of(Errno.ENOMEM, "too many tables to check");
      }
      used++;
      offsets[slot] = offset;
      if (used * 2 > offsets.length) {
        grow();
        slot = slot(offset);
      }
    }
    all[slot]++;
    if (isActive) {
      active[slot]++;
    }
    return first;
  }

  private void grow() {
    long[] oldOffsets = offsets;
    int[] oldAll = all;
    int[] oldActive = active;
    offsets = new long[oldOffsets.length * 2];
    Arrays.fill(offsets, -1);
    all = new int[offsets.length];
    active = new int[offsets.length];
    for (int i = 0; i < oldOffsets.length; i++) {
      if (oldOffsets[i] != -1) {
        int slot = slot(oldOffsets[i]);
        offsets[slot] = oldOffsets[i];
        all[slot] = oldAll[i];
        active[slot] = oldActive[i];
      }
    }
  }

  /** What is done with each table. */
  @FunctionalInterface
  interface Visitor {
    void visit(long offset, int all, int active) throws BlockException;
  }

  /** Visits every table, in no order. */
  void forEach(Visitor visitor) throws BlockException {
    for (int i = 0; i < offsets.length; i++) {
      if (offsets[i] != -1) {
        visitor.visit(offsets[i], all[i], active[i]);
      }
    }
  }
}
