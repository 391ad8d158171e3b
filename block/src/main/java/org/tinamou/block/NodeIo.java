package org.tinamou.block;

import java.lang.foreign.MemorySegment;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;

/**
 * Takes a request through one node: counts it, keeps overlapping ones apart, aligns and splits it
 * to the driver's limits, and tells listeners when it is done. Every request on every node passes
 * here.
 */
final class NodeIo {
  private static final String TRUNCATE = "truncate";

  private NodeIo() {}

  // ------------------------------------------------------------------------------------- reading

  @InCoroutine
  static void read(BlockNode top, long offset, IoVector buffer, int flags) throws BlockException {
    checkRange(top, offset, buffer.sizeBytes());
    if (buffer.sizeBytes() == 0) {
      return;
    }
    BlockNode node = top;
    for (Edge next = node.driver().passRead(); next != null; next = node.driver().passRead()) {
      next.requireRead();
      node = next.child();
    }
    // Its parents count such a read until it has ended, and nobody has to wait for it.
    if (flags == 0
        && !node.requests().isAnySerialising()
        && node.driver().readAtHand(offset, buffer)) {
      return;
    }
    node.inFlight().begin();
    try {
      TrackedRequests.Tracked request = node.requests().begin("read", offset, buffer.sizeBytes());
      try {
        awaitTurn(node, request, flags);
        readTracked(node, offset, buffer, flags);
      } finally {
        node.requests().end(request);
      }
    } finally {
      node.inFlight().end();
    }
  }

  private static void readTracked(BlockNode node, long offset, IoVector buffer, int flags)
      throws BlockException {
    int alignment = node.limits().requestAlignmentBytes();
    if (Padding.isAligned(offset, buffer.sizeBytes(), alignment)) {
      readAligned(node, offset, buffer, flags);
      return;
    }
    try (Padding padding = Padding.of(node, offset, buffer, alignment)) {
      readAligned(node, padding.offsetBytes(), padding.vector(), flags);
      padding.deliver();
    }
  }

  /** Waits until nothing is in the way of a request that is tracked. */
  private static void awaitTurn(BlockNode node, TrackedRequests.Tracked request, int flags) {
    if ((flags & RequestFlags.SERIALISING) != 0) {
      node.requests().serialise(request, node.limits().requestAlignmentBytes());
    } else {
      node.requests().awaitSerialising(request);
    }
  }

  /** What a request that changes nothing does while it is tracked. */
  @FunctionalInterface
  interface Reading {
    boolean run() throws BlockException;
  }

  /** A request that changes nothing: counted and kept apart from those that serialise. */
  static boolean tracked(
      BlockNode node, String kind, long offset, long length, int flags, Reading reading)
      throws BlockException {
    node.inFlight().begin();
    try {
      TrackedRequests.Tracked request = node.requests().begin(kind, offset, length);
      try {
        awaitTurn(node, request, flags);
        return reading.run();
      } finally {
        node.requests().end(request);
      }
    } finally {
      node.inFlight().end();
    }
  }

  /** The range is aligned; what lies beyond the end reads as zeroes. */
  private static void readAligned(BlockNode node, long offset, IoVector buffer, int flags)
      throws BlockException {
    BlockDriver driver = node.driver();
    BlockLimits limits = node.limits();
    long present = Math.max(0, Math.min(buffer.sizeBytes(), driver.lengthBytes() - offset));
    long readable = alignUp(present, limits.requestAlignmentBytes());
    for (long done = 0; done < readable; ) {
      long length = piece(readable - done, limits.maxTransferBytes(), limits);
      IoVector part = buffer.slice(done, length);
      if (isMemoryAligned(part, limits.memoryAlignmentBytes())) {
        driver.read(offset + done, part, flags);
      } else {
        length = Math.min(length, BounceBuffers.MAX_BUFFER_BYTES);
        readBounced(node, driver, offset + done, part.slice(0, length), flags);
      }
      done += length;
    }
    if (readable < buffer.sizeBytes()) {
      buffer.slice(readable).fill((byte) 0);
    }
  }

  private static void readBounced(
      BlockNode node, BlockDriver driver, long offset, IoVector part, int flags)
      throws BlockException {
    BounceBuffers buffers = node.graph().bounceBuffers();
    MemorySegment bounce = buffers.take(part.sizeBytes());
    try {
      driver.read(offset, IoVector.of(bounce.asSlice(0, part.sizeBytes())), flags);
      Padding.copyIn(bounce, part);
    } finally {
      buffers.give(bounce);
    }
  }

  // ------------------------------------------------------------------------------------- writing

  @InCoroutine
  static void write(BlockNode node, long offset, IoVector buffer, int flags) throws BlockException {
    checkRange(node, offset, buffer.sizeBytes());
    checkWritable(node);
    if (buffer.sizeBytes() == 0) {
      return;
    }
    if (node.detectZeroes() != DetectZeroes.OFF
        && (flags & RequestFlags.COMPRESSED) == 0
        && buffer.isZero()) {
      int zeroFlags =
          node.detectZeroes() == DetectZeroes.UNMAP ? flags | RequestFlags.MAY_UNMAP : flags;
      if (writeZeroes(node, offset, buffer.sizeBytes(), zeroFlags)) {
        return;
      }
    }
    node.writeThreshold().check(offset + buffer.sizeBytes());
    change(
        node,
        "write",
        offset,
        buffer.sizeBytes(),
        flags,
        request -> writeTracked(node, request, offset, buffer, flags));
    node.reached(offset + buffer.sizeBytes());
  }

  private static void writeTracked(
      BlockNode node, TrackedRequests.Tracked request, long offset, IoVector buffer, int flags)
      throws BlockException {
    int alignment = node.limits().requestAlignmentBytes();
    if (Padding.isAligned(offset, buffer.sizeBytes(), alignment)) {
      writeAligned(node, offset, buffer, flags);
      return;
    }
    node.requests().serialise(request, alignment);
    try (Padding padding = Padding.of(node, offset, buffer, alignment)) {
      for (Padding.Block block : padding.partialBlocks()) {
        readPartial(node, block);
      }
      padding.restoreBuffer();
      writeAligned(node, padding.offsetBytes(), padding.vector(), flags);
    }
  }

  private static void readPartial(BlockNode node, Padding.Block block) throws BlockException {
    if (block.isHead()) {
      DebugEvents.announce(node, DebugEvent.PWRITEV_RMW_HEAD);
    }
    if (block.isTail()) {
      DebugEvents.announce(node, DebugEvent.PWRITEV_RMW_TAIL);
    }
    readAligned(node, block.offsetBytes(), IoVector.of(block.memory()), 0);
    if (block.isHead()) {
      DebugEvents.announce(node, DebugEvent.PWRITEV_RMW_AFTER_HEAD);
    }
    if (block.isTail()) {
      DebugEvents.announce(node, DebugEvent.PWRITEV_RMW_AFTER_TAIL);
    }
  }

  private static void writeAligned(BlockNode node, long offset, IoVector buffer, int flags)
      throws BlockException {
    DebugEvents.announce(node, DebugEvent.PWRITEV);
    try {
      writePieces(node, offset, buffer, flags);
    } finally {
      DebugEvents.announce(node, DebugEvent.PWRITEV_DONE);
    }
  }

  private static void writePieces(BlockNode node, long offset, IoVector buffer, int flags)
      throws BlockException {
    BlockDriver.Writable driver = writable(node);
    BlockLimits limits = node.limits();
    int passed = flags & driver.writeFlags();
    for (long done = 0; done < buffer.sizeBytes(); ) {
      long length = piece(buffer.sizeBytes() - done, limits.maxTransferBytes(), limits);
      IoVector part = buffer.slice(done, length);
      if (isMemoryAligned(part, limits.memoryAlignmentBytes())) {
        driver.write(offset + done, part, passed);
      } else {
        length = Math.min(length, BounceBuffers.MAX_BUFFER_BYTES);
        writeBounced(node, driver, offset + done, part.slice(0, length), passed);
      }
      done += length;
    }
    if (((flags & ~passed) & RequestFlags.FORCE_UNIT_ACCESS) != 0) {
      flushAfterWrite(node);
    }
  }

  private static void writeBounced(
      BlockNode node, BlockDriver.Writable driver, long offset, IoVector part, int flags)
      throws BlockException {
    BounceBuffers buffers = node.graph().bounceBuffers();
    MemorySegment bounce = buffers.take(part.sizeBytes());
    try {
      Padding.copyOut(part, bounce);
      driver.write(offset, IoVector.of(bounce.asSlice(0, part.sizeBytes())), flags);
    } finally {
      buffers.give(bounce);
    }
  }

  /**
   * Makes a range read as zeroes.
   *
   * @return false if that needs buffers of zeroes and {@link RequestFlags#NO_FALLBACK} is set
   */
  @InCoroutine
  static boolean writeZeroes(BlockNode node, long offset, long length, int flags)
      throws BlockException {
    checkRange(node, offset, length);
    checkWritable(node);
    if (length == 0) {
      return true;
    }
    node.writeThreshold().check(offset + length);
    boolean[] done = new boolean[1];
    changeHoles(
        node,
        "write zeroes",
        offset,
        length,
        flags,
        request -> done[0] = zeroTracked(node, request, offset, length, flags));
    node.reached(offset + length);
    return done[0];
  }

  /** Blocks at the edges are written; whole ones in between are zeroed if the driver can. */
  private static boolean zeroTracked(
      BlockNode node, TrackedRequests.Tracked request, long offset, long length, int flags)
      throws BlockException {
    int alignment = node.limits().requestAlignmentBytes();
    long end = offset + length;
    long middleStart = Math.min(end, alignUp(offset, alignment));
    long middleEnd = Math.max(middleStart, end & -(long) alignment);
    if (offset < middleStart) {
      writeTrackedZeroes(node, request, offset, middleStart - offset, flags);
    }
    if (middleStart < middleEnd && !zeroAligned(node, middleStart, middleEnd, flags)) {
      return false;
    }
    if (middleEnd < end) {
      writeTrackedZeroes(node, request, middleEnd, end - middleEnd, flags);
    }
    return true;
  }

  private static boolean zeroAligned(BlockNode node, long start, long end, int flags)
      throws BlockException {
    BlockLimits limits = node.limits();
    long unit = Math.max(limits.writeZeroesAlignmentBytes(), limits.requestAlignmentBytes());
    DebugEvents.announce(node, DebugEvent.PWRITEV_ZERO);
    try {
      for (long at = start; at < end; ) {
        long part = pieceInUnits(at, end, unit, limits.maxWriteZeroesBytes(), limits);
        if (!zeroByDriver(node, at, part, flags)) {
          if ((flags & RequestFlags.NO_FALLBACK) != 0) {
            return false;
          }
          part = Math.min(part, BounceBuffers.MAX_BUFFER_BYTES);
          writePieces(node, at, zeroes(part), flags & ~RequestFlags.MAY_UNMAP);
        }
        at += part;
      }
      return true;
    } finally {
      DebugEvents.announce(node, DebugEvent.PWRITEV_DONE);
    }
  }

  /** Up to the next boundary that the driver likes, then whole units, then what is left. */
  private static long pieceInUnits(long at, long end, long unit, long most, BlockLimits limits) {
    long left = piece(end - at, most, limits);
    long head = at % unit;
    if (head != 0) {
      return Math.min(left, unit - head);
    }
    return left <= unit ? left : left / unit * unit;
  }

  private static void writeTrackedZeroes(
      BlockNode node, TrackedRequests.Tracked request, long offset, long length, int flags)
      throws BlockException {
    writeTracked(node, request, offset, zeroes(length), flags & ~RequestFlags.MAY_UNMAP);
  }

  private static boolean zeroByDriver(BlockNode node, long offset, long length, int flags)
      throws BlockException {
    if (!(node.driver() instanceof BlockDriver.ZeroWriter driver)) {
      return false;
    }
    int passed = flags & driver.zeroFlags();
    if (!driver.writeZeroes(offset, length, passed)) {
      return false;
    }
    if (((flags & ~passed) & RequestFlags.FORCE_UNIT_ACCESS) != 0) {
      flushAfterWrite(node);
    }
    return true;
  }

  private static IoVector zeroes(long length) {
    return IoVector.of(ZeroMemory.ofSize(length));
  }

  // -------------------------------------------------------------------- discard, flush, truncate

  @InCoroutine
  static void discard(BlockNode node, long offset, long length) throws BlockException {
    checkRange(node, offset, length);
    checkWritable(node);
    if (length == 0
        || !node.options().discardUnmap()
        || !(node.driver() instanceof BlockDriver.Discarder driver)) {
      return;
    }
    // The driver's own unit is a wish: ends that are no whole unit are its affair.
    BlockLimits limits = node.limits();
    long unit = Math.max(limits.discardAlignmentBytes(), limits.requestAlignmentBytes());
    long start = alignUp(offset, limits.requestAlignmentBytes());
    long end = offset + length & -(long) limits.requestAlignmentBytes();
    if (start >= end) {
      return; // a hint about less than the driver can forget
    }
    changeHoles(
        node,
        "discard",
        offset,
        length,
        0,
        request -> {
          for (long at = start; at < end; ) {
            long part = pieceInUnits(at, end, unit, limits.maxDiscardBytes(), limits);
            if (!driver.discard(at, part)) {
              return;
            }
            at += part;
          }
        });
  }

  /** Makes every write that has completed stable, here and below. */
  @InCoroutine
  static void flush(BlockNode node) throws BlockException {
    flush(node, true);
  }

  /** The end of a write that has to be stable: announced only if there were writes before it. */
  private static void flushAfterWrite(BlockNode node) throws BlockException {
    boolean dirtyBefore = !node.flushState.isClean(node.flushState.writes());
    node.flushState.written();
    flush(node, dirtyBefore);
  }

  private static void flush(BlockNode node, boolean announced) throws BlockException {
    node.inFlight().begin();
    try {
      FlushState state = node.flushState;
      long writes = state.writes();
      state.oneAtATime.lock();
      try {
        DebugEvents.announceBelow(node, DebugEvent.FLUSH_TO_OS);
        if (state.isClean(writes)) {
          return;
        }
        long covered = state.writes();
        if (node.driver() instanceof BlockDriver.WriteCache cache) {
          cache.writeBack();
        }
        if (!node.options().cacheNoFlush()
            && node.driver() instanceof BlockDriver.Writable driver) {
          if (announced) {
            DebugEvents.announceBelow(node, DebugEvent.FLUSH_TO_DISK);
          }
          driver.flush();
        }
        for (Edge edge : node.children()) {
          boolean written =
              (edge.permissions() & (Permission.WRITE | Permission.WRITE_UNCHANGED)) != 0;
          if (written
              && (!(node.driver() instanceof BlockDriver.Writable driver)
                  || driver.flushesChild(edge))) {
            flush(edge.child());
          }
        }
        state.flushed(covered);
      } finally {
        state.oneAtATime.unlock();
      }
    } finally {
      node.inFlight().end();
    }
  }

  @InCoroutine
  static void truncate(
      BlockNode node, long newLength, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    if (newLength < 0) {
      throw new BlockException(Errno.EINVAL, "Image size cannot be negative");
    }
    checkWritable(node);
    if (!(node.driver() instanceof BlockDriver.Resizable driver)) {
      throw new BlockException(Errno.EOPNOTSUPP, "Image format driver does not support resize");
    }
    long old = driver.lengthBytes();
    long from = Math.min(old, newLength);
    changeHoles(
        node,
        TRUNCATE,
        from,
        Math.max(1, Math.abs(newLength - old)),
        RequestFlags.SERIALISING,
        request -> {
          driver.truncate(newLength, exact, preallocation);
          node.bitmaps().resize(driver.lengthBytes());
        });
  }

  // -------------------------------------------------------------------------------------- common

  /** What a change of data does between being tracked and being told. */
  @FunctionalInterface
  private interface Change {
    void run(TrackedRequests.Tracked request) throws BlockException;
  }

  /**
   * A request that changes data. Its end has an order: listeners (dirty bitmaps) first, then it is
   * no longer tracked, then it is counted down, and last whoever drains is woken.
   */
  private static void change(
      BlockNode node, String kind, long offset, long length, int flags, Change change)
      throws BlockException {
    node.inFlight().begin();
    try {
      TrackedRequests.Tracked request = node.requests().begin(kind, offset, length);
      try {
        awaitTurn(node, request, flags);
        try {
          change.run(request);
        } finally {
          // Also after an error: something may have been changed.
          node.flushState.written();
          if (!kind.equals(TRUNCATE)) {
            node.written(offset, length); // what is new at the end is no news to a backup
          }
        }
      } finally {
        node.requests().end(request);
      }
    } finally {
      node.inFlight().end();
    }
  }

  /** A change after which data may be a hole, which the node's status cache has to know. */
  private static void changeHoles(
      BlockNode node, String kind, long offset, long length, int flags, Change change)
      throws BlockException {
    node.statusCache().changeBegins();
    try {
      change(node, kind, offset, length, flags, change);
    } finally {
      node.statusCache().changeEnds();
    }
  }

  private static BlockDriver.Writable writable(BlockNode node) throws BlockException {
    if (node.driver() instanceof BlockDriver.Writable driver) {
      return driver;
    }
    throw BlockException.of(Errno.EOPNOTSUPP, "write to " + node.describe());
  }

  static void checkWritable(BlockNode node) throws BlockException {
    if (node.isReadOnly() || node.isInactive()) {
      throw BlockException.of(Errno.EPERM, "write to " + node.describe());
    }
    writable(node);
  }

  static void checkRange(BlockNode node, long offset, long length) throws BlockException {
    long most = Long.MAX_VALUE - BounceBuffers.MAX_BUFFER_BYTES;
    if (offset < 0 || length < 0 || offset > most - length) {
      throw BlockException.of(
          Errno.EIO, "request at %d of %d bytes on %s".formatted(offset, length, node.describe()));
    }
  }

  private static long piece(long left, long most, BlockLimits limits) {
    if (most == 0 || left <= most) {
      return left;
    }
    return Math.max(limits.requestAlignmentBytes(), most & -(long) limits.requestAlignmentBytes());
  }

  private static boolean isMemoryAligned(IoVector vector, int alignment) {
    if (alignment <= 1) {
      return true;
    }
    for (MemorySegment segment : vector.segments()) {
      if (((segment.address() | segment.byteSize()) & (alignment - 1)) != 0) {
        return false;
      }
    }
    return true;
  }

  static long alignUp(long value, long alignment) {
    return (value + alignment - 1) & -alignment;
  }
}
