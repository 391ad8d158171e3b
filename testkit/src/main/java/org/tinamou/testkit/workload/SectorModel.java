package org.tinamou.testkit.workload;

import java.util.Arrays;
import java.util.BitSet;

/**
 * What each sector may contain. A write fills its sectors with one value. A sector holds exactly
 * one value once its last write has succeeded alone; while writes are under way, after a failed
 * one, and after a power cut, each of its bytes is one of several.
 */
final class SectorModel {
  static final int SECTOR_BYTES = 512;
  private static final int VALUES = 251;

  /** A write under way. */
  record Write(int first, int count, byte value) {}

  /** A flush under way: for each sector, how far its history went when the flush started. */
  record Flush(BitSet[] settled, long[] stamps) {}

  private final BitSet[] possible;
  private final BitSet[] sinceDurable;
  private final int[] underWay;
  private final boolean[] disturbed;
  private final long[] stamp;
  private int nextValue = 1;

  SectorModel(int sectors) {
    possible = new BitSet[sectors];
    sinceDurable = new BitSet[sectors];
    underWay = new int[sectors];
    disturbed = new boolean[sectors];
    stamp = new long[sectors];
    for (int i = 0; i < sectors; i++) {
      possible[i] = BitSet.valueOf(new long[] {1});
      sinceDurable[i] = BitSet.valueOf(new long[] {1});
    }
  }

  Write startWrite(int first, int count) {
    int value = nextValue;
    nextValue = nextValue % (VALUES - 1) + 1;
    for (int i = first; i < first + count; i++) {
      disturbed[i] = underWay[i] > 0;
      underWay[i]++;
      stamp[i]++;
      possible[i].set(value);
      sinceDurable[i].set(value);
    }
    return new Write(first, count, (byte) value);
  }

  void endWrite(Write write, boolean succeeded) {
    for (int i = write.first; i < write.first + write.count; i++) {
      underWay[i]--;
      stamp[i]++;
      if (succeeded && underWay[i] == 0 && !disturbed[i]) {
        possible[i].clear();
        possible[i].set(write.value & 0xFF);
      }
    }
  }

  long[] stamps(int first, int count) {
    return Arrays.copyOfRange(stamp, first, first + count);
  }

  /** What is wrong with bytes read from {@code first} on, or an empty text. */
  String check(int first, long[] stampsBefore, byte[] bytes) {
    for (int i = 0; i < stampsBefore.length; i++) {
      int sector = first + i;
      if (stamp[sector] != stampsBefore[i] || underWay[sector] > 0) {
        continue; // written to meanwhile
      }
      for (int at = 0; at < SECTOR_BYTES; at++) {
        int seen = bytes[i * SECTOR_BYTES + at] & 0xFF;
        if (!possible[sector].get(seen)) {
          return "sector "
              + sector
              + " byte "
              + at
              + " is "
              + seen
              + ", not of "
              + possible[sector];
        }
      }
    }
    return "";
  }

  Flush startFlush() {
    BitSet[] settled = new BitSet[possible.length];
    for (int i = 0; i < settled.length; i++) {
      settled[i] = underWay[i] == 0 ? (BitSet) possible[i].clone() : new BitSet();
    }
    return new Flush(settled, stamp.clone());
  }

  /** What was settled when the flush started is durable; what came since may be. */
  void endFlush(Flush flush) {
    for (int i = 0; i < possible.length; i++) {
      if (flush.stamps[i] == stamp[i] && !flush.settled[i].isEmpty()) {
        sinceDurable[i] = (BitSet) flush.settled[i].clone();
      }
    }
  }

  void crashed() {
    for (int i = 0; i < possible.length; i++) {
      possible[i] = (BitSet) sinceDurable[i].clone();
      underWay[i] = 0;
      disturbed[i] = false;
      stamp[i]++;
    }
  }
}
