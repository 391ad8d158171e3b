package org.tinamou.block.bitmap;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A set of bit indexes as a tree with 64 branches a node, of which only those nodes exist that are
 * neither empty nor full. Memory therefore follows the number of places where the bits change, not
 * the size of the index space; a search visits a few words only.
 *
 * <p>Not thread-safe.
 */
final class BitTree {
  static final int FAN_OUT_BITS = 6;
  static final int LEAF_BITS = 2 * FAN_OUT_BITS;
  static final long NONE = -1;
  private static final int FAN_OUT = 1 << FAN_OUT_BITS;

  /** A node: 64 words at the lowest level, 64 branches above. */
  private static final class Node {
    /** Branches or words that are not empty. */
    long some;

    /** Branches or words that are full. */
    long all;

    /** Bits set below. */
    long count;

    final long @Nullable [] words;
    final @Nullable Node @Nullable [] branches;

    Node(boolean leaf) {
      words = leaf ? new long[FAN_OUT] : null;
      branches = leaf ? null : new @Nullable Node[FAN_OUT];
    }

    static Node full(int shift) {
      Node node = new Node(shift == FAN_OUT_BITS);
      if (node.words != null) {
        Arrays.fill(node.words, -1L);
      }
      node.some = -1;
      node.all = -1;
      node.count = (long) FAN_OUT << shift;
      return node;
    }

    Node copy() {
      Node node = new Node(words != null);
      node.some = some;
      node.all = all;
      node.count = count;
      if (words != null) {
        System.arraycopy(words, 0, Objects.requireNonNull(node.words), 0, FAN_OUT);
      } else {
        for (long left = some & ~all; left != 0; left &= left - 1) {
          int i = Long.numberOfTrailingZeros(left);
          node.branches()[i] = Objects.requireNonNull(branches()[i]).copy();
        }
      }
      return node;
    }

    @Nullable Node[] branches() {
      return Objects.requireNonNull(branches);
    }

    boolean has(long mask, int branch) {
      return (mask & (1L << branch)) != 0;
    }

    void setWord(int index, long value) {
      long[] all64 = Objects.requireNonNull(words);
      count += Long.bitCount(value) - Long.bitCount(all64[index]);
      all64[index] = value;
      summarise(index, value != 0, value == -1);
    }

    void summarise(int branch, boolean any, boolean every) {
      long bit = 1L << branch;
      some = any ? some | bit : some & ~bit;
      all = every ? all | bit : all & ~bit;
    }
  }

  private Node root = new Node(true);

  /** Bits that one branch of the root stands for, as a power of two. */
  private int rootShift = FAN_OUT_BITS;

  long count() {
    return root.count;
  }

  BitTree copy() {
    BitTree tree = new BitTree();
    tree.root = root.copy();
    tree.rootShift = rootShift;
    return tree;
  }

  /** Roughly how much memory the tree takes. */
  long memoryBytes() {
    return memoryBytes(root);
  }

  private static long memoryBytes(Node node) {
    long bytes = 48 + 16 + (node.words == null ? 4L : 8L) * FAN_OUT;
    if (node.branches != null) {
      for (Node branch : node.branches) {
        bytes += branch == null ? 0 : memoryBytes(branch);
      }
    }
    return bytes;
  }

  private boolean covers(long index) {
    return index >>> (rootShift + FAN_OUT_BITS) == 0;
  }

  private void growTo(long lastIndex) {
    while (!covers(lastIndex)) {
      Node above = new Node(false);
      boolean every = root.all == -1L;
      above.summarise(0, root.count != 0, every);
      above.count = root.count;
      if (root.count != 0 && !every) {
        above.branches()[0] = root;
      }
      root = above;
      rootShift += FAN_OUT_BITS;
    }
  }

  /** Sets the bits in {@code [from, end)}. */
  void set(long from, long end) {
    if (from < end) {
      growTo(end - 1);
      set(root, rootShift, from, end);
    }
  }

  private static void set(Node node, int shift, long from, long end) {
    int last = (int) ((end - 1) >>> shift);
    for (int i = (int) (from >>> shift); i <= last; i++) {
      if (node.has(node.all, i)) {
        continue;
      }
      long start = (long) i << shift;
      long low = Math.max(from - start, 0);
      long high = Math.min(end - start, 1L << shift);
      if (node.words != null) {
        node.setWord(i, node.words[i] | mask(low, high));
      } else {
        setBranch(node, i, shift, low, high);
      }
    }
  }

  private static void setBranch(Node node, int i, int shift, long low, long high) {
    @Nullable Node[] branches = node.branches();
    Node branch = branches[i];
    long before = branch == null ? 0 : branch.count;
    long size = 1L << shift;
    if (low == 0 && high == size) {
      branches[i] = null;
      node.summarise(i, true, true);
      node.count += size - before;
      return;
    }
    if (branch == null) {
      branch = new Node(shift == LEAF_BITS);
      branches[i] = branch;
    }
    set(branch, shift - FAN_OUT_BITS, low, high);
    node.count += branch.count - before;
    node.summarise(i, true, branch.count == size);
    if (branch.count == size) {
      branches[i] = null;
    }
  }

  /** Clears the bits in {@code [from, end)}. */
  void clear(long from, long end) {
    long capacity = 1L << (rootShift + FAN_OUT_BITS);
    if (from < Math.min(end, capacity)) {
      clear(root, rootShift, from, Math.min(end, capacity));
    }
  }

  private static void clear(Node node, int shift, long from, long end) {
    int last = (int) ((end - 1) >>> shift);
    for (int i = (int) (from >>> shift); i <= last; i++) {
      if (!node.has(node.some, i)) {
        continue;
      }
      long start = (long) i << shift;
      long low = Math.max(from - start, 0);
      long high = Math.min(end - start, 1L << shift);
      if (node.words != null) {
        node.setWord(i, node.words[i] & ~mask(low, high));
      } else {
        clearBranch(node, i, shift, low, high);
      }
    }
  }

  private static void clearBranch(Node node, int i, int shift, long low, long high) {
    @Nullable Node[] branches = node.branches();
    long size = 1L << shift;
    Node branch = branches[i];
    long before = branch == null ? size : branch.count;
    if (low == 0 && high == size) {
      branches[i] = null;
      node.summarise(i, false, false);
      node.count -= before;
      return;
    }
    if (branch == null) {
      branch = Node.full(shift - FAN_OUT_BITS);
      branches[i] = branch;
    }
    clear(branch, shift - FAN_OUT_BITS, low, high);
    node.count += branch.count - before;
    node.summarise(i, branch.count != 0, false);
    if (branch.count == 0) {
      branches[i] = null;
    }
  }

  /** A word with the bits {@code [low, high)} set; the range is not empty. */
  private static long mask(long low, long high) {
    return (-1L << low) & (-1L >>> (64 - high));
  }

  /** The first set bit at or after {@code from}, or {@link #NONE}. */
  long nextSet(long from) {
    return covers(from) ? nextSet(root, rootShift, from) : NONE;
  }

  private static long nextSet(Node node, int shift, long from) {
    int i = (int) (from >>> shift);
    long first = from - ((long) i << shift);
    for (long left = node.some & (-1L << i); left != 0; left &= left - 1) {
      int branch = Long.numberOfTrailingZeros(left);
      long start = (long) branch << shift;
      long low = branch == i ? first : 0;
      if (node.has(node.all, branch)) {
        return start + low;
      }
      long found;
      if (node.words != null) {
        long word = node.words[branch] & (-1L << low);
        found = word == 0 ? NONE : Long.numberOfTrailingZeros(word);
      } else {
        Node below = Objects.requireNonNull(node.branches()[branch]);
        found = nextSet(below, shift - FAN_OUT_BITS, low);
      }
      if (found != NONE) {
        return start + found;
      }
    }
    return NONE;
  }

  /** The first clear bit at or after {@code from}; there always is one. */
  long nextClear(long from) {
    if (!covers(from)) {
      return from;
    }
    long found = nextClear(root, rootShift, from);
    return found == NONE ? 1L << (rootShift + FAN_OUT_BITS) : found;
  }

  private static long nextClear(Node node, int shift, long from) {
    int i = (int) (from >>> shift);
    long first = from - ((long) i << shift);
    for (long left = ~node.all & (-1L << i); left != 0; left &= left - 1) {
      int branch = Long.numberOfTrailingZeros(left);
      long start = (long) branch << shift;
      long low = branch == i ? first : 0;
      if (!node.has(node.some, branch)) {
        return start + low;
      }
      long found;
      if (node.words != null) {
        long word = ~node.words[branch] & (-1L << low);
        found = word == 0 ? NONE : Long.numberOfTrailingZeros(word);
      } else {
        Node below = Objects.requireNonNull(node.branches()[branch]);
        found = nextClear(below, shift - FAN_OUT_BITS, low);
      }
      if (found != NONE) {
        return start + found;
      }
    }
    return NONE;
  }

  /** The 64 bits from {@code 64 * wordIndex} on, the first in the lowest place. */
  long word(long wordIndex) {
    long from = wordIndex << FAN_OUT_BITS;
    if (!covers(from)) {
      return 0;
    }
    Node node = root;
    int shift = rootShift;
    while (true) {
      int i = (int) (from >>> shift) & (FAN_OUT - 1);
      if (!node.has(node.some, i)) {
        return 0;
      }
      if (node.has(node.all, i)) {
        return -1;
      }
      if (node.words != null) {
        return node.words[i];
      }
      node = Objects.requireNonNull(node.branches()[i]);
      shift -= FAN_OUT_BITS;
    }
  }
}
