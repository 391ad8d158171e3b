package org.tinamou.monitor.chardev;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.tinamou.aio.PassedDescriptor;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.IoVector;

/** A connection that tells when it is closed. */
final class CountedStream implements StreamSocket {
  private final StreamSocket below;
  private final Runnable onClose;
  private boolean closed;

  CountedStream(StreamSocket below, Runnable onClose) {
    this.below = below;
    this.onClose = onClose;
  }

  @Override
  public long read(MemorySegment buffer) {
    return below.read(buffer);
  }

  @Override
  public long receive(MemorySegment buffer, Consumer<PassedDescriptor> passed) {
    return below.receive(buffer, passed);
  }

  @Override
  public long write(MemorySegment buffer) {
    return below.write(buffer);
  }

  @Override
  public long write(IoVector buffers) {
    return below.write(buffers);
  }

  @Override
  public void shutdown() {
    below.shutdown();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      below.close();
      onClose.run();
    }
  }
}
