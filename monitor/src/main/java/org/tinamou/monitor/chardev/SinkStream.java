package org.tinamou.monitor.chardev;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.IoVector;

/** A connection from which nothing ever comes. */
final class SinkStream implements StreamSocket {
  private final Consumer<MemorySegment> sink;
  private volatile boolean ended;
  private volatile @Nullable Coroutine reader;

  /**
   * A connection to some memory.
   *
   * @param sink gets what is written
   */
  SinkStream(Consumer<MemorySegment> sink) {
    this.sink = sink;
  }

  @Override
  public long read(MemorySegment buffer) {
    Coroutine self = Coroutine.current();
    reader = self;
    while (!ended && !self.isCancelRequested()) {
      Coroutine.suspend("characters that never come");
    }
    reader = null;
    return 0;
  }

  @Override
  public long write(MemorySegment buffer) {
    sink.accept(buffer);
    return buffer.byteSize();
  }

  @Override
  public long write(IoVector buffers) {
    buffers.segments().forEach(sink);
    return buffers.sizeBytes();
  }

  @Override
  public void shutdown() {
    ended = true;
    Coroutine waiting = reader;
    if (waiting != null) {
      waiting.wake();
    }
  }

  @Override
  public void close() {
    shutdown();
  }
}
