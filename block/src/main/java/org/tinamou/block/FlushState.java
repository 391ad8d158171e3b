package org.tinamou.block;

import java.util.concurrent.atomic.AtomicLong;
import org.tinamou.aio.CoMutex;

/** Lets a flush with nothing to do return at once, and keeps flushes of one node in line. */
final class FlushState {
  final CoMutex oneAtATime = new CoMutex("flush");
  private final AtomicLong writes = new AtomicLong();
  private volatile long flushedWrites;

  void written() {
    writes.incrementAndGet();
  }

  long writes() {
    return writes.get();
  }

  boolean isClean(long writesSeen) {
    return flushedWrites >= writesSeen;
  }

  void flushed(long writesSeen) {
    flushedWrites = Math.max(flushedWrites, writesSeen);
  }
}
