package org.tinamou.block.bitmap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;

/** Random operations on a bitmap and on a {@link BitSet}, compared after each. */
final class DirtyBitmapModelTest {
  private static final int ROUNDS = 60;
  private static final int STEPS = 150;

  private SeededRandom random = new SeededRandom(0);
  private final BitSet model = new BitSet();
  private DirtyBitmap bitmap;
  private long granularityBytes;
  private long sizeBytes;

  private int bits() {
    return (int) Math.ceilDiv(sizeBytes, granularityBytes);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void behavesAsItsModel(long seed) throws BlockException {
    random = new SeededRandom(seed);
    for (int round = 0; round < ROUNDS; round++) {
      granularityBytes = 512L << random.nextInt(4);
      drawSize();
      model.clear();
      bitmap = new DirtyBitmap(null, sizeBytes, granularityBytes);
      for (int step = 0; step < STEPS; step++) {
        act();
        compareSomewhere();
      }
      compareEverything();
    }
  }

  private void drawSize() {
    sizeBytes = random.nextLong(granularityBytes << (1 + random.nextInt(19)));
  }

  private long drawOffset() {
    return sizeBytes == 0 ? 0 : random.nextLong(sizeBytes);
  }

  private long drawLength() {
    return random.nextLong(1 + (sizeBytes >>> random.nextInt(20)));
  }

  private void act() throws BlockException {
    long offset = drawOffset();
    long length = drawLength();
    int first = (int) (offset / granularityBytes);
    int last = (int) Math.min(bits(), Math.ceilDiv(offset + length, granularityBytes));
    switch (random.nextInt(20)) {
      case 0 -> {
        drawSize();
        bitmap.resize(sizeBytes);
        model.clear(bits(), Math.max(bits(), model.length()));
      }
      case 1 -> {
        BitmapBackup backup = bitmap.clear();
        if (random.nextBoolean()) {
          bitmap.restore(backup);
        } else {
          model.clear();
        }
      }
      case 2 -> mergeAnother();
      case 3 -> passPlainBits();
      case 4, 5, 6, 7, 8 -> {
        bitmap.reset(offset, length);
        int from = (int) Math.ceilDiv(offset, granularityBytes);
        int end =
            offset + length >= sizeBytes ? bits() : (int) ((offset + length) / granularityBytes);
        model.clear(from, Math.max(from, end));
      }
      default -> {
        bitmap.mark(offset, length);
        if (length > 0) {
          model.set(first, Math.max(first, last));
        }
      }
    }
  }

  private void mergeAnother() throws BlockException {
    long otherGranularity = 512L << random.nextInt(8);
    DirtyBitmap other = new DirtyBitmap(null, sizeBytes, otherGranularity);
    for (int i = random.nextInt(4); i > 0 && sizeBytes > 0; i--) {
      long offset = drawOffset() / otherGranularity * otherGranularity;
      other.mark(offset, 1);
      long end = Math.min(sizeBytes, offset + otherGranularity);
      model.set((int) (offset / granularityBytes), (int) Math.ceilDiv(end, granularityBytes));
    }
    BitSet merged = (BitSet) model.clone();
    bitmap.merge(other);
    assertEquals(merged.cardinality() * granularityBytes, bitmap.countBytes());
  }

  private void passPlainBits() {
    long words = Math.ceilDiv(bits(), Long.SIZE);
    if (words == 0) {
      return;
    }
    long start = random.nextLong(words);
    long count = 1 + random.nextLong(words - start);
    byte[] plain = new byte[(int) count * Long.BYTES];
    bitmap.readPlain(start * bitmap.wordBytes(), MemorySegment.ofArray(plain));
    int first = (int) start * Long.SIZE;
    BitSet expected = model.get(first, first + plain.length * 8);
    assertEquals(expected, BitSet.valueOf(plain));
    plain[random.nextInt(plain.length)] ^= (byte) random.nextInt(256);
    bitmap.writePlain(start * bitmap.wordBytes(), MemorySegment.ofArray(plain));
    BitSet written = BitSet.valueOf(plain);
    for (int i = 0; i < plain.length * 8 && first + i < bits(); i++) {
      model.set(first + i, written.get(i));
    }
  }

  private void compareSomewhere() {
    assertEquals(model.cardinality() * granularityBytes, bitmap.countBytes());
    long offset = drawOffset();
    long length = drawLength();
    int from = (int) (offset / granularityBytes);
    long end = Math.min(sizeBytes, offset + length);
    assertEquals(
        bounded(model.nextSetBit(from), offset, end), bitmap.nextDirty(offset, length), "dirty");
    assertEquals(
        bounded(model.nextClearBit(from), offset, end), bitmap.nextClean(offset, length), "clean");
  }

  private long bounded(int bit, long offset, long end) {
    long at = Math.max(bit * granularityBytes, offset);
    return bit < 0 || at >= end ? -1 : at;
  }

  private void compareEverything() {
    DirtyIterator iterator = bitmap.iterator();
    for (int bit = model.nextSetBit(0); bit >= 0; bit = model.nextSetBit(bit + 1)) {
      assertEquals(bit * granularityBytes, iterator.next());
    }
    assertEquals(-1, iterator.next());
    long position = 0;
    for (int bit = model.nextSetBit(0); bit >= 0; ) {
      int clear = model.nextClearBit(bit);
      long start = bit * granularityBytes;
      long end = Math.min(sizeBytes, clear * granularityBytes);
      assertEquals(
          new DirtyArea(start, end - start),
          bitmap.nextDirtyArea(position, sizeBytes - position, Long.MAX_VALUE));
      position = end;
      bit = model.nextSetBit(clear);
    }
  }
}
