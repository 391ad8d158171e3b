package org.tinamou.block;

import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;

/** Takes a question about a node's data to its driver, and further down where that knows more. */
final class NodeStatus {
  private NodeStatus() {}

  @InCoroutine
  static BlockStatus status(BlockNode node, long offset, long length, boolean wantZero)
      throws BlockException {
    Check.argument(length > 0, "a status needs at least one byte");
    BlockDriver driver = node.driver();
    long total = driver.lengthBytes();
    if (offset >= total) {
      return new BlockStatus(length, BlockStatus.ZERO | BlockStatus.END_OF_FILE, 0, null);
    }
    node.inFlight().begin();
    try {
      long inside = Math.min(length, total - offset);
      if (!(driver instanceof BlockDriver.StatusSource source)) {
        return endFlag(BlockStatus.data(inside), offset, total);
      }
      long alignment = node.limits().requestAlignmentBytes();
      long start = offset & -alignment;
      BlockStatus found = ask(node, source, start, offset + inside, total, wantZero);
      long skipped = offset - start;
      BlockStatus cut =
          new BlockStatus(
              found.lengthBytes() - skipped,
              found.flags(),
              found.mappedOffsetBytes() + (found.has(BlockStatus.OFFSET_VALID) ? skipped : 0),
              found.file());
      return endFlag(refine(cut.atMost(inside), wantZero), offset, total);
    } finally {
      node.inFlight().end();
    }
  }

  private static BlockStatus ask(
      BlockNode node,
      BlockDriver.StatusSource source,
      long start,
      long end,
      long total,
      boolean wantZero)
      throws BlockException {
    long alignment = node.limits().requestAlignmentBytes();
    if (!wantZero || !source.isStatusCached()) {
      return source.blockStatus(start, NodeIo.alignUp(end, alignment) - start, wantZero);
    }
    StatusCache cache = node.statusCache();
    BlockStatus known = cache.find(start, end - start);
    if (known != null) {
      return known;
    }
    // The first to ask looks far ahead, which takes its time; those who come meanwhile are content
    // with what it finds.
    cache.asking.lock();
    try {
      BlockStatus foundMeanwhile = cache.find(start, end - start);
      if (foundMeanwhile != null) {
        return foundMeanwhile;
      }
      long begun = cache.begin();
      BlockStatus found = source.blockStatus(start, NodeIo.alignUp(total, alignment) - start, true);
      cache.remember(begun, start, found);
      return found;
    } finally {
      cache.asking.unlock();
    }
  }

  /** What a format passes through is known better below. */
  private static BlockStatus refine(BlockStatus status, boolean wantZero) throws BlockException {
    BlockNode file = status.file();
    if (file != null && wantZero && status.has(BlockStatus.MAYBE_ZERO)) {
      return zeroIfBelow(status, file);
    }
    if (file == null || !status.has(BlockStatus.RAW)) {
      return status;
    }
    BlockStatus below = status(file, status.mappedOffsetBytes(), status.lengthBytes(), wantZero);
    return new BlockStatus(
        Math.min(below.lengthBytes(), status.lengthBytes()),
        below.flags() & ~BlockStatus.END_OF_FILE,
        below.mappedOffsetBytes(),
        below.file());
  }

  /** Data that the node below knows to read as zeroes does so here too. */
  private static BlockStatus zeroIfBelow(BlockStatus status, BlockNode file) throws BlockException {
    BlockStatus below = status(file, status.mappedOffsetBytes(), status.lengthBytes(), true);
    return new BlockStatus(
        Math.min(below.lengthBytes(), status.lengthBytes()),
        status.flags() & ~BlockStatus.MAYBE_ZERO | below.flags() & BlockStatus.ZERO,
        status.mappedOffsetBytes(),
        file);
  }

  private static BlockStatus endFlag(BlockStatus status, long offset, long total) {
    return offset + status.lengthBytes() < total
        ? status
        : new BlockStatus(
            status.lengthBytes(),
            status.flags() | BlockStatus.END_OF_FILE,
            status.mappedOffsetBytes(),
            status.file());
  }
}
