package org.tinamou.block.bitmap;

import java.util.concurrent.locks.ReentrantLock;
import org.tinamou.base.Check;

/**
 * A set of bit indexes for many threads: runs of 4,096 bits are dealt out to stripes in turn, each
 * stripe a {@link BitTree} under a lock of its own that is held for one step only.
 *
 * <p>A search looks at the stripes one after another. It never passes a bit that stays as searched
 * for all through the call, and what it finds was so at some moment of the call.
 */
final class StripedBits {
  static final long NONE = BitTree.NONE;

  /** The largest index + 1: that of 2^63 bytes at 512 bytes a bit. */
  static final long MAX_BITS = 1L << 54;

  private static final int STRIPE_BITS = 4;
  private static final int STRIPES = 1 << STRIPE_BITS;
  private static final int RUN_BITS = BitTree.LEAF_BITS;
  private static final long RUN_MASK = (1L << RUN_BITS) - 1;
  private static final int WORD_BITS = BitTree.FAN_OUT_BITS;

  private static final class Stripe {
    final ReentrantLock lock = new ReentrantLock();
    BitTree tree = new BitTree();
  }

  private final Stripe[] stripes = new Stripe[STRIPES];

  StripedBits() {
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new Stripe();
    }
  }

  private static int stripeOf(long index) {
    return (int) (index >>> RUN_BITS) & (STRIPES - 1);
  }

  /** How many indexes below {@code index} belong to a stripe: the first one's place in it. */
  private static long rank(long index, int stripe) {
    long run = index >>> RUN_BITS;
    int owner = stripeOf(index);
    long rounds = run >>> STRIPE_BITS;
    if (owner == stripe) {
      return (rounds << RUN_BITS) | (index & RUN_MASK);
    }
    return (owner > stripe ? rounds + 1 : rounds) << RUN_BITS;
  }

  private static long indexOf(long rank, int stripe) {
    long run = ((rank >>> RUN_BITS) << STRIPE_BITS) | stripe;
    return (run << RUN_BITS) | (rank & RUN_MASK);
  }

  void set(long from, long end) {
    change(from, end, true);
  }

  void clear(long from, long end) {
    change(from, end, false);
  }

  private void change(long from, long end, boolean value) {
    Check.argument(from >= 0 && end <= MAX_BITS, "bits %s to %s", from, end);
    long runs = ((end - 1) >>> RUN_BITS) - (from >>> RUN_BITS) + 1;
    for (int i = 0; from < end && i < Math.min(runs, STRIPES); i++) {
      int number = (stripeOf(from) + i) & (STRIPES - 1);
      Stripe stripe = stripes[number];
      stripe.lock.lock();
      try {
        if (value) {
          stripe.tree.set(rank(from, number), rank(end, number));
        } else {
          stripe.tree.clear(rank(from, number), rank(end, number));
        }
      } finally {
        stripe.lock.unlock();
      }
    }
  }

  /** The number of set bits; exact when nobody changes them meanwhile. */
  long count() {
    long count = 0;
    for (Stripe stripe : stripes) {
      stripe.lock.lock();
      try {
        count += stripe.tree.count();
      } finally {
        stripe.lock.unlock();
      }
    }
    return count;
  }

  /** The first set bit in {@code [from, end)}, or {@link #NONE}. */
  long nextSet(long from, long end) {
    return next(from, end, true);
  }

  /** The first clear bit in {@code [from, end)}, or {@link #NONE}. */
  long nextClear(long from, long end) {
    return next(from, end, false);
  }

  private long next(long from, long end, boolean value) {
    if (from >= end) {
      return NONE;
    }
    // Most searches end in the run they start in.
    int first = stripeOf(from);
    long best = nextIn(first, from, value);
    if (best == NONE || best >= end || best >>> RUN_BITS != from >>> RUN_BITS) {
      for (int i = 1; i < STRIPES; i++) {
        long found = nextIn((first + i) & (STRIPES - 1), from, value);
        if (found != NONE && (best == NONE || found < best)) {
          best = found;
        }
      }
    }
    return best < end ? best : NONE;
  }

  private long nextIn(int number, long from, boolean value) {
    Stripe stripe = stripes[number];
    long rank = rank(from, number);
    long found;
    stripe.lock.lock();
    try {
      found = value ? stripe.tree.nextSet(rank) : stripe.tree.nextClear(rank);
    } finally {
      stripe.lock.unlock();
    }
    return found == NONE ? NONE : indexOf(found, number);
  }

  /** The 64 bits from {@code 64 * wordIndex} on, the first in the lowest place. */
  long word(long wordIndex) {
    int number = stripeOf(wordIndex << WORD_BITS);
    Stripe stripe = stripes[number];
    stripe.lock.lock();
    try {
      return stripe.tree.word(rank(wordIndex << WORD_BITS, number) >>> WORD_BITS);
    } finally {
      stripe.lock.unlock();
    }
  }

  /** Replaces the 64 bits from {@code 64 * wordIndex} on. */
  void putWord(long wordIndex, long value) {
    int number = stripeOf(wordIndex << WORD_BITS);
    Stripe stripe = stripes[number];
    long start = rank(wordIndex << WORD_BITS, number);
    stripe.lock.lock();
    try {
      stripe.tree.clear(start, start + Long.SIZE);
      long left = value;
      while (left != 0) {
        int low = Long.numberOfTrailingZeros(left);
        int length = Long.numberOfTrailingZeros(~(left >>> low));
        stripe.tree.set(start + low, start + low + length);
        left &= low + length == Long.SIZE ? 0 : -1L << (low + length);
      }
    } finally {
      stripe.lock.unlock();
    }
  }

  /** The bits as they are now. */
  StripedBits copy() {
    StripedBits copy = new StripedBits();
    for (int i = 0; i < STRIPES; i++) {
      Stripe stripe = stripes[i];
      stripe.lock.lock();
      try {
        copy.stripes[i].tree = stripe.tree.copy();
      } finally {
        stripe.lock.unlock();
      }
    }
    return copy;
  }

  /** Takes over the bits of another, which must not be used afterwards. */
  void takeFrom(StripedBits other) {
    for (int i = 0; i < STRIPES; i++) {
      Stripe stripe = stripes[i];
      stripe.lock.lock();
      try {
        stripe.tree = other.stripes[i].tree;
      } finally {
        stripe.lock.unlock();
      }
    }
  }

  long memoryBytes() {
    long bytes = 0;
    for (Stripe stripe : stripes) {
      stripe.lock.lock();
      try {
        bytes += stripe.tree.memoryBytes();
      } finally {
        stripe.lock.unlock();
      }
    }
    return bytes;
  }
}
