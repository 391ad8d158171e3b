package org.tinamou.block.bitmap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.block.BlockException;

final class DirtyBitmapTest {
  private static final long KIB = 1L << 10;
  private static final long MIB = 1L << 20;
  private static final long UNEVEN = 10 * MIB + 512;

  private static DirtyBitmap bitmap(long sizeBytes, long granularityBytes) throws BlockException {
    return new DirtyBitmap("b", sizeBytes, granularityBytes);
  }

  /** What a sequence of requests on a node leaves; the expected values are the reference's. */
  private static DirtyBitmap written(long granularityBytes) throws BlockException {
    DirtyBitmap bitmap = bitmap(UNEVEN, granularityBytes);
    bitmap.mark(512, 1024);
    bitmap.mark(65024, 1024);
    bitmap.mark(MIB, 3 * MIB);
    bitmap.mark(UNEVEN - 512, 512);
    bitmap.mark(8 * MIB, 64 * KIB);
    return bitmap;
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 100, 256, 511, 1000, 1L << 32, -1})
  void otherGranularitiesAreRefused(long granularityBytes) {
    BlockException refused =
        assertThrows(BlockException.class, () -> bitmap(MIB, granularityBytes));
    assertEquals("Granularity must be power of 2 and at least 512", refused.getMessage());
  }

  @Test
  void defaultGranularityFollowsTheClusterSize() {
    assertEquals(64 * KIB, DirtyBitmap.defaultGranularityBytes(0));
    assertEquals(4 * KIB, DirtyBitmap.defaultGranularityBytes(512));
    assertEquals(32 * KIB, DirtyBitmap.defaultGranularityBytes(32 * KIB));
    assertEquals(64 * KIB, DirtyBitmap.defaultGranularityBytes(2 * MIB));
  }

  @Test
  void countsAndHashesAreThoseOfTheReference() throws BlockException {
    assertEquals(1L << 31, written(1L << 31).countBytes());
    assertEquals(4 * MIB + MIB + MIB, written(MIB).countBytes());
    assertEquals(
        "9d908ecfb6b256def8b49a7c504e6c889c4b0e41fe6ce3e01863dd7b61a20aa0",
        bitmap(UNEVEN, 64 * KIB).sha256());
    assertEquals(
        "2006005ec9adbd2bb5fa7d75691cf404bd4c808b6ffd7cc5ccf57008f07e8fd5",
        bitmap(UNEVEN, 512).sha256());
    assertEquals(
        "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8",
        written(1L << 31).sha256());
    assertEquals(
        "11aed482a47bc84de304abe7a4f89c83efc2c0109489eb9717dacb95ec8928ec", written(MIB).sha256());
    DirtyBitmap coarse = written(64 * KIB);
    assertEquals(
        "4cde1ab5921d236d390035ee9c4f95b54a8353b90d5d2ed4b2e8662cb7c216c3", coarse.sha256());
    assertEquals(3407872, coarse.countBytes());
    DirtyBitmap fine = written(512);
    assertEquals(3213824, fine.countBytes());
    assertEquals("97805a46a3d08daf569a49ad2666b2eeb70f44bd17484837260d4556a886a6c3", fine.sha256());
    DirtyBitmap middle = written(4 * KIB);
    assertEquals(3227648, middle.countBytes());
    assertEquals(
        "bcb12bf6d7869afe5c06b5ede6aaf3ab6e446ea1835c52b14c3cc059c62aa9ad", middle.sha256());
  }

  @Test
  void mergingAcrossGranularitiesRoundsOutAndStopsAtTheEnd() throws BlockException {
    DirtyBitmap fine = bitmap(UNEVEN, 512);
    fine.merge(written(64 * KIB));
    assertEquals(3342848, fine.countBytes());
    assertEquals("f1ef0b0bf3102432b64a9b6315684dc7d84fddd5c9524c7685bfa48c6f90be79", fine.sha256());
    DirtyBitmap coarse = bitmap(UNEVEN, 64 * KIB);
    coarse.merge(written(512));
    assertEquals(
        "4cde1ab5921d236d390035ee9c4f95b54a8353b90d5d2ed4b2e8662cb7c216c3", coarse.sha256());
  }

  @Test
  void resizingForgetsWhatIsCutOffAndAddsCleanSpace() throws BlockException {
    DirtyBitmap fine = written(512);
    fine.resize(4 * MIB + 512);
    assertEquals(3147776, fine.countBytes());
    assertEquals("d34493ba4a88e4d3726c1d7c91adf475a46445118d3a30b47e57d07cc26719f2", fine.sha256());
    fine.resize(5 * MIB + 512);
    assertEquals(3147776, fine.countBytes());
    assertEquals("18928f02242df96a8f3a1e9f016234081f5876a0651604e9e768628caabe7563", fine.sha256());
    fine.resize(0);
    assertEquals(0, fine.countBytes());
    assertEquals(-1, fine.nextDirty(0, Long.MAX_VALUE));
  }

  @Test
  void mergeIsUndoneByItsBackup() throws BlockException {
    DirtyBitmap target = bitmap(UNEVEN, 4 * KIB);
    target.mark(5 * MIB, 1);
    String before = target.sha256();
    BitmapBackup backup = target.merge(written(512));
    assertEquals(3227648 + 4 * KIB, target.countBytes());
    target.restore(backup);
    assertEquals(before, target.sha256());
    assertThrows(IllegalStateException.class, () -> target.restore(backup));
    BitmapBackup cleared = target.clear();
    assertEquals(0, target.countBytes());
    target.restore(cleared);
    assertEquals(before, target.sha256());
  }

  @Test
  void mergeOfAnotherSizeIsRefused() throws BlockException {
    DirtyBitmap target = bitmap(1L << 30, 64 * KIB);
    DirtyBitmap source = bitmap(2 * MIB, 64 * KIB);
    BlockException refused = assertThrows(BlockException.class, () -> target.merge(source));
    assertEquals(
        "Bitmaps are of different sizes (destination size is 1073741824, source size is 2097152)"
            + " and can't be merged",
        refused.getMessage());
  }

  @Test
  void mergeWithItselfChangesNothing() throws BlockException {
    DirtyBitmap bitmap = written(512);
    String before = bitmap.sha256();
    bitmap.merge(bitmap);
    assertEquals(before, bitmap.sha256());
  }

  @Test
  void resetCleansOnlyWholeGranules() throws BlockException {
    DirtyBitmap bitmap = bitmap(UNEVEN, 64 * KIB);
    bitmap.mark(0, UNEVEN);
    bitmap.reset(1, 128 * KIB);
    assertTrue(bitmap.isDirty(0));
    assertFalse(bitmap.isDirty(64 * KIB));
    assertTrue(bitmap.isDirty(128 * KIB));
    bitmap.reset(200, 300);
    assertTrue(bitmap.isDirty(200));
    bitmap.reset(10 * MIB, 512);
    assertFalse(bitmap.isDirty(10 * MIB));
    assertEquals(159 * 64 * KIB, bitmap.countBytes());
  }

  @Test
  void areasEndAtTheRangeTheNodeAndTheMaximum() throws BlockException {
    DirtyBitmap bitmap = bitmap(UNEVEN, 64 * KIB);
    bitmap.mark(100 * KIB, 1);
    bitmap.mark(10 * MIB, 100);
    assertEquals(
        new DirtyArea(64 * KIB, 64 * KIB), bitmap.nextDirtyArea(0, UNEVEN, Long.MAX_VALUE));
    assertEquals(new DirtyArea(100 * KIB, 10), bitmap.nextDirtyArea(100 * KIB, 10, Long.MAX_VALUE));
    assertEquals(new DirtyArea(64 * KIB, 1000), bitmap.nextDirtyArea(0, UNEVEN, 1000));
    assertEquals(
        new DirtyArea(10 * MIB, 512),
        bitmap.nextDirtyArea(MIB, Long.MAX_VALUE - MIB, Long.MAX_VALUE));
    assertNull(bitmap.nextDirtyArea(0, 64 * KIB, 1));
    assertNull(bitmap.nextDirtyArea(UNEVEN, 1, 1));
    assertEquals(-1, bitmap.nextClean(10 * MIB, 512));
    assertEquals(128 * KIB, bitmap.nextClean(70 * KIB, MIB));
  }

  @Test
  void iteratorsMeetWhatBecomesDirtyAheadOnly() throws BlockException {
    DirtyBitmap bitmap = bitmap(100 * MIB, MIB);
    bitmap.mark(3 * MIB, MIB);
    bitmap.mark(50 * MIB, MIB);
    DirtyIterator iterator = bitmap.iterator();
    assertEquals(3 * MIB, iterator.next());
    bitmap.mark(2 * MIB, MIB);
    bitmap.mark(10 * MIB, 5);
    bitmap.reset(50 * MIB, MIB);
    bitmap.resize(200 * MIB);
    bitmap.mark(150 * MIB, 1);
    assertEquals(10 * MIB, iterator.next());
    assertEquals(150 * MIB, iterator.next());
    assertEquals(-1, iterator.next());
    bitmap.mark(199 * MIB, 1);
    assertEquals(199 * MIB, iterator.next());
    iterator.seek(2 * MIB + 17);
    assertEquals(2 * MIB, iterator.next());
  }

  @Test
  void theLargestNodesAreSearchedInFewSteps() throws BlockException {
    DirtyBitmap bitmap = bitmap(Long.MAX_VALUE, 512);
    bitmap.mark(Long.MAX_VALUE - 1, 1);
    bitmap.mark(1L << 61, 512);
    assertEquals(1L << 61, bitmap.nextDirty(0, Long.MAX_VALUE));
    List<Long> met = new ArrayList<>();
    DirtyIterator iterator = bitmap.iterator();
    for (long at = iterator.next(); at >= 0; at = iterator.next()) {
      met.add(at);
    }
    assertEquals(List.of(1L << 61, Long.MAX_VALUE - 511), met);
    bitmap.mark(0, Long.MAX_VALUE);
    assertEquals(-1, bitmap.nextClean(0, Long.MAX_VALUE));
    assertEquals(1L << 54, bitmap.countBytes() >>> 9);
    bitmap.reset(1L << 40, 512);
    assertEquals(1L << 40, bitmap.nextClean(0, Long.MAX_VALUE));
    assertTrue(bitmap.memoryBytes() < 200_000, "memory: " + bitmap.memoryBytes());
  }

  @Test
  void memoryFollowsTheDirtyAreasNotTheSize() throws BlockException {
    DirtyBitmap bitmap = bitmap(1L << 60, 64 * KIB);
    long empty = bitmap.memoryBytes();
    for (long i = 0; i < 100; i++) {
      bitmap.mark(i << 50, 1);
    }
    assertTrue(bitmap.memoryBytes() - empty < 100 * 4096, "memory: " + bitmap.memoryBytes());
    bitmap.mark(0, 1L << 60);
    bitmap.reset(0, 1L << 60);
    assertTrue(bitmap.memoryBytes() <= empty + 16 * 4096, "memory: " + bitmap.memoryBytes());
  }

  @Test
  void plainBitsGoOutAndComeBack() throws BlockException {
    DirtyBitmap source = written(512);
    assertEquals(32 * KIB, source.wordBytes());
    assertEquals((20481 + 63) / 64 * 8, source.plainBytes(UNEVEN));
    byte[] first = new byte[16];
    source.readPlain(0, MemorySegment.ofArray(first));
    assertEquals(6, first[0]);
    assertEquals((byte) 0x80, first[15]);
    DirtyBitmap target = bitmap(UNEVEN, 512);
    target.mark(6 * MIB, 2 * MIB);
    byte[] chunk = new byte[512];
    for (long offset = 0; offset < UNEVEN; offset += 64 * source.wordBytes()) {
      source.readPlain(offset, MemorySegment.ofArray(chunk));
      target.writePlain(offset, MemorySegment.ofArray(chunk));
    }
    assertEquals(source.sha256(), target.sha256());
    java.util.Arrays.fill(chunk, (byte) -1);
    target.writePlain(320 * target.wordBytes(), MemorySegment.ofArray(chunk));
    assertEquals(source.countBytes(), target.countBytes());
  }
}
