package org.tinamou.tools.img;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A piece of an image as a sequence of zeroes and of data worth writing; used again and again. */
final class PieceRuns {
  /** Who is told of the runs, in their order. */
  interface Taker<X extends Exception> {
    void data(long start, long lengthBytes) throws X;

    void zeroes(long start, long lengthBytes) throws X;
  }

  /** Lengths; those of zeroes are negative. */
  private long[] runs = new long[16];

  private int count;

  private void add(long run) {
    if (count == runs.length) {
      runs = Arrays.copyOf(runs, 2 * count);
    }
    runs[count++] = run;
  }

  /** The piece is taken as it is. */
  void all(long lengthBytes) {
    count = 0;
    add(lengthBytes);
  }

  /**
   * Looks for zeroes.
   *
   * @param unitBytes as {@link ZeroRuns#zeroes} has it
   * @param imageOffset where the piece belongs in the image
   * @param leastBytes how many zeroes make a run of their own between data
   */
  void find(MemorySegment piece, int unitBytes, long imageOffset, long leastBytes) {
    count = 0;
    for (long done = 0; done < piece.byteSize(); ) {
      long zeroes = ZeroRuns.zeroes(piece, done, unitBytes, imageOffset);
      if (zeroes > 0) {
        add(-zeroes);
        done += zeroes;
      } else {
        long data = ZeroRuns.data(piece, done, unitBytes, imageOffset, leastBytes);
        add(data);
        done += data;
      }
    }
  }

  <X extends Exception> void tell(Taker<X> taker) throws X {
    long start = 0;
    for (int index = 0; index < count; index++) {
      long run = runs[index];
      if (run < 0) {
        taker.zeroes(start, -run);
      } else {
        taker.data(start, run);
      }
      start += Math.abs(run);
    }
  }
}
