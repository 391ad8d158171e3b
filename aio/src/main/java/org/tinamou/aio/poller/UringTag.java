package org.tinamou.aio.poller;

/** What travels through the ring with each operation: its kind, and a slot with its generation. */
final class UringTag {
  /** Completions nobody waits for. */
  static final int IGNORED = 0;

  static final int REQUEST = 1;
  static final int WATCH = 2;
  static final int WAKE = 3;

  private static final int GENERATION_MASK = 0xffffff;

  private UringTag() {}

  static long of(int kind, int slot, int generation) {
    return ((long) kind << 56) | ((long) generation(generation) << 32) | slot;
  }

  static int kind(long tag) {
    return (int) (tag >>> 56);
  }

  static int slot(long tag) {
    return (int) tag;
  }

  static int generationOf(long tag) {
    return generation((int) (tag >>> 32));
  }

  /** The part of a counter that travels. */
  static int generation(int counter) {
    return counter & GENERATION_MASK;
  }
}
