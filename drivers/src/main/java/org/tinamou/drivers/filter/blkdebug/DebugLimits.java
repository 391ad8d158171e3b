package org.tinamou.drivers.filter.blkdebug;

import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Limits that a node pretends to have, in bytes; 0 for none. */
record DebugLimits(
    long align,
    long maxTransfer,
    long optWriteZero,
    long maxWriteZero,
    long optDiscard,
    long maxDiscard) {

  static DebugLimits read(OptionReader options) throws BlockException, OptionException {
    DebugLimits limits =
        new DebugLimits(
            size(options, "align"),
            size(options, "max-transfer"),
            size(options, "opt-write-zero"),
            size(options, "max-write-zero"),
            size(options, "opt-discard"),
            size(options, "max-discard"));
    if (limits.align != 0 && Long.bitCount(limits.align) != 1) {
      throw refused("align", limits.align);
    }
    return limits;
  }

  private static long size(OptionReader options, String name)
      throws BlockException, OptionException {
    Long bytes = options.sizeOrNull(name);
    if (bytes == null) {
      return 0;
    }
    if (Long.compareUnsigned(bytes, Integer.MAX_VALUE) >= 0) {
      throw refused(name, bytes);
    }
    return bytes;
  }

  private static BlockException refused(String name, long value) {
    return new BlockException(
        Errno.EINVAL, "Cannot meet constraints with " + name + " " + Long.toUnsignedString(value));
  }

  /**
   * Refuses what does not fit together.
   *
   * @param childAlignment what the node below demands
   */
  void check(int childAlignment) throws BlockException {
    long unit = Math.max(align, childAlignment);
    multiple("max-transfer", maxTransfer, unit);
    multiple("opt-write-zero", optWriteZero, unit);
    multiple("max-write-zero", maxWriteZero, Math.max(optWriteZero, unit));
    multiple("opt-discard", optDiscard, unit);
    multiple("max-discard", maxDiscard, Math.max(optDiscard, unit));
  }

  private static void multiple(String name, long value, long unit) throws BlockException {
    if (value % unit != 0) {
      throw refused(name, value);
    }
  }

  BlockLimits asLimits() {
    int request = align == 0 ? 1 : (int) align;
    return new BlockLimits(
        request,
        1,
        maxTransfer,
        maxWriteZero,
        Math.max(1, (int) optWriteZero),
        maxDiscard,
        Math.max(1, (int) optDiscard));
  }
}
