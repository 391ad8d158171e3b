package org.tinamou.testkit.net;

import java.lang.foreign.MemorySegment;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.IoVector;

/** One end of a simulated connection. */
public final class SimStream implements StreamSocket {
  private final SimNetwork network;
  private final SimPipe in;
  private final SimPipe out;
  private boolean closed;

  SimStream(SimNetwork network, SimPipe in, SimPipe out) {
    this.network = network;
    this.in = in;
    this.out = out;
  }

  @Override
  public long read(MemorySegment buffer) {
    return in.read(buffer);
  }

  @Override
  public long write(MemorySegment buffer) {
    return out.write(buffer);
  }

  @Override
  public long write(IoVector buffers) {
    for (MemorySegment each : buffers.segments()) {
      long result = out.write(each);
      if (result < 0) {
        return result;
      }
    }
    return buffers.sizeBytes();
  }

  @Override
  public void shutdown() {
    in.abandon();
    out.finish();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      shutdown();
      network.closed(this);
    }
  }

  /** Ends the connection for both sides at once. */
  public void reset() {
    in.reset();
    out.reset();
  }

  /** What this end writes is delivered up to a number of bytes, and then no more. */
  public void cutAfter(long bytes, Cut how) {
    out.cutAfter(bytes, how);
  }

  /** What this end writes is delivered one byte at a time. */
  public void drip() {
    out.drip();
  }

  /** All that this end has written. */
  public byte[] written() {
    return out.recorded();
  }
}
