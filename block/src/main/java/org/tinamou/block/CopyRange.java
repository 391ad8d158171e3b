package org.tinamou.block;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;

/**
 * One copy that the lowest layers may do without the data passing through memory. It goes down from
 * the source's top to the driver that holds the data, over to the target's top, and down there.
 * Drivers on the way hand it to the child where the bytes are, or say false: not now, or never.
 */
public final class CopyRange {
  private record Place(BlockNode node, long offsetBytes, long lengthBytes) {}

  private final Edge target;
  private final long targetOffsetBytes;
  private final int readFlags;
  private final int writeFlags;
  private final List<Place> read;
  private BlockDriver.@Nullable RangeCopier source;
  private long sourceOffsetBytes;

  private CopyRange(
      Edge target, long targetOffsetBytes, int readFlags, int writeFlags, List<Place> read) {
    this.target = target;
    this.targetOffsetBytes = targetOffsetBytes;
    this.readFlags = readFlags;
    this.writeFlags = writeFlags;
    this.read = read;
  }

  /**
   * Copies a range from one edge's child to another's.
   *
   * @return false if that is not possible; part of the target may have been written
   */
  @InCoroutine
  static boolean copy(
      Edge source,
      long sourceOffset,
      Edge target,
      long targetOffset,
      long length,
      int readFlags,
      int writeFlags)
      throws BlockException {
    BlockNode from = source.child();
    BlockNode to = target.child();
    NodeIo.checkRange(from, sourceOffset, length);
    NodeIo.checkRange(to, targetOffset, length);
    if (length > 0 && sourceOffset + length > from.lengthBytes()) {
      return false; // zeroes behind the end are nobody's to copy
    }
    long most = lower(from.limits().maxTransferBytes(), to.limits().maxTransferBytes());
    for (long done = 0; done < length; ) {
      long part = most == 0 ? length - done : Math.min(most, length - done);
      CopyRange copy =
          new CopyRange(target, targetOffset + done, readFlags, writeFlags, new ArrayList<>());
      if (!copy.from(source, sourceOffset + done, part)) {
        return false;
      }
      done += part;
    }
    return true;
  }

  private static long lower(long a, long b) {
    return a == 0 ? b : b == 0 ? a : Math.min(a, b);
  }

  /**
   * What of the copy begins so many bytes later, for drivers that have a range in several places:
   * each goes its way by itself.
   */
  @InCoroutine
  public CopyRange part(long startBytes) {
    CopyRange part =
        new CopyRange(
            target, targetOffsetBytes + startBytes, readFlags, writeFlags, new ArrayList<>(read));
    part.source = source;
    part.sourceOffsetBytes = sourceOffsetBytes + startBytes;
    return part;
  }

  /** On the source's side: there are zeroes, which are nowhere. The target makes its own. */
  @InCoroutine
  public boolean zeroes(long lengthBytes) throws BlockException {
    Check.state(source == null, "a copy has one source");
    return !isBeingRead(target.child(), targetOffsetBytes, lengthBytes)
        && target.writeZeroes(targetOffsetBytes, lengthBytes, writeFlags);
  }

  /** On the source's side: the bytes are in a child. */
  @InCoroutine
  public boolean from(Edge child, long offsetBytes, long lengthBytes) throws BlockException {
    child.requireRead();
    BlockNode node = child.child();
    if (lengthBytes == 0) {
      return true;
    }
    if (!(node.driver() instanceof BlockDriver.RangeCopier driver)
        || !isAligned(node, offsetBytes, lengthBytes)) {
      return false;
    }
    read.add(new Place(node, offsetBytes, lengthBytes));
    return NodeIo.tracked(
        node,
        "copy from",
        offsetBytes,
        lengthBytes,
        readFlags,
        () -> driver.copyRangeFrom(offsetBytes, lengthBytes, this));
  }

  /** On the source's side: the driver itself holds the bytes. The copy goes over to the target. */
  @InCoroutine
  public boolean here(BlockDriver.RangeCopier holder, long offsetBytes, long lengthBytes)
      throws BlockException {
    Check.state(source == null, "a copy has one source");
    source = holder;
    sourceOffsetBytes = offsetBytes;
    return to(target, targetOffsetBytes, lengthBytes);
  }

  /** On the target's side: the bytes belong in a child. */
  @InCoroutine
  public boolean to(Edge child, long offsetBytes, long lengthBytes) throws BlockException {
    child.requireWrite(writeFlags);
    BlockNode node = child.child();
    NodeIo.checkWritable(node);
    if (!(node.driver() instanceof BlockDriver.RangeCopier driver)
        || !isAligned(node, offsetBytes, lengthBytes)
        || isBeingRead(node, offsetBytes, lengthBytes)) {
      return false;
    }
    node.inFlight().begin();
    try {
      if (!write(node, driver, offsetBytes, lengthBytes)) {
        return false;
      }
    } finally {
      node.inFlight().end();
    }
    node.reached(offsetBytes + lengthBytes);
    if ((writeFlags & RequestFlags.FORCE_UNIT_ACCESS) != 0) {
      NodeIo.flush(node);
    }
    return true;
  }

  /**
   * Ends as every change does. It does not wait for overlapping requests, since they may wait for
   * what is being read: whoever wanted the copy reads and writes then.
   */
  private boolean write(
      BlockNode node, BlockDriver.RangeCopier driver, long offsetBytes, long lengthBytes)
      throws BlockException {
    TrackedRequests.Tracked request = node.requests().begin("copy to", offsetBytes, lengthBytes);
    try {
      boolean serialising = (writeFlags & RequestFlags.SERIALISING) != 0;
      if (!node.requests().tryStart(request, serialising, node.limits().requestAlignmentBytes())) {
        return false;
      }
      node.writeThreshold().check(offsetBytes + lengthBytes);
      node.statusCache().changeBegins();
      try {
        return driver.copyRangeTo(offsetBytes, lengthBytes, this);
      } finally {
        node.statusCache().changeEnds();
        node.flushState.written();
        node.written(offsetBytes, lengthBytes);
      }
    } finally {
      node.requests().end(request);
    }
  }

  /** On the target's side: the driver that holds the bytes to copy. */
  public BlockDriver.RangeCopier source() {
    return java.util.Objects.requireNonNull(source, "the target comes after the source");
  }

  /** Where they are in it. */
  public long sourceOffsetBytes() {
    return sourceOffsetBytes;
  }

  private static boolean isAligned(BlockNode node, long offset, long length) {
    return Padding.isAligned(offset, length, node.limits().requestAlignmentBytes());
  }

  /** A range that is copied onto itself would wait for itself. */
  private boolean isBeingRead(BlockNode node, long offset, long length) {
    long alignment = node.limits().requestAlignmentBytes();
    for (Place place : read) {
      if (place.node == node
          && offset - alignment < place.offsetBytes + place.lengthBytes
          && place.offsetBytes - alignment < offset + length) {
        return true;
      }
    }
    return false;
  }
}
