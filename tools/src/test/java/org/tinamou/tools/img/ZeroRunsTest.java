package org.tinamou.tools.img;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.tinamou.base.SeededRandom;

class ZeroRunsTest {
  @Test
  void firstNonZeroIsFoundWhereverItIs() {
    byte[] bytes = new byte[200_000];
    MemorySegment segment = MemorySegment.ofArray(bytes);
    assertEquals(-1, ZeroRuns.firstNonZero(segment));
    for (int position : new int[] {199_999, 131_072, 65_536, 65_535, 1, 0}) {
      bytes[position] = 1;
      assertEquals(position, ZeroRuns.firstNonZero(segment));
    }
  }

  /** Runs alternate, cover the buffer, lose no data and leave no hole shorter than asked. */
  @Test
  void runsPartitionTheBuffer() {
    SeededRandom random = new SeededRandom(9);
    for (int round = 0; round < 300; round++) {
      byte[] bytes = new byte[1 + random.nextInt(40_000)];
      for (int at = random.nextInt(3000); at < bytes.length; at += 1 + random.nextInt(9000)) {
        int end = Math.min(bytes.length, at + random.nextInt(4000));
        java.util.Arrays.fill(bytes, at, end, (byte) 1);
      }
      int unit = 512 << random.nextInt(5);
      long least = (long) unit * (1 + random.nextInt(4));
      long imageOffset = 512L * random.nextInt(100);
      MemorySegment buffer = MemorySegment.ofArray(bytes);
      long position = 0;
      while (position < bytes.length) {
        long zeroes = ZeroRuns.zeroes(buffer, position, unit, imageOffset);
        for (long at = position; at < position + zeroes; at++) {
          assertEquals(0, bytes[(int) at]);
        }
        position += zeroes;
        if (position < bytes.length) {
          long data = ZeroRuns.data(buffer, position, unit, imageOffset, least);
          assertTrue(data > 0);
          position += data;
          if (position < bytes.length) {
            assertTrue(ZeroRuns.zeroes(buffer, position, unit, imageOffset) >= least);
          }
        }
      }
      assertEquals(bytes.length, position);
    }
  }
}
