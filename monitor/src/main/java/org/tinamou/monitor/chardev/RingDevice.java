package org.tinamou.monitor.chardev;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.StreamSocket;

/** Memory that keeps the last bytes that were written, until they are read. */
public final class RingDevice extends CharDevice {
  private final byte[] memory;
  private final SinkStream stream = new SinkStream(this::write);
  private long written;
  private long read;
  private boolean given;

  /**
   * An empty ring.
   *
   * @param sizeBytes a power of two
   */
  RingDevice(String id, int sizeBytes) {
    super(id);
    this.memory = new byte[sizeBytes];
  }

  @Override
  public String fileName() {
    return "ringbuf";
  }

  @Override
  public @Nullable StreamSocket next() {
    if (given) {
      return null;
    }
    given = true;
    return stream;
  }

  private void write(MemorySegment bytes) {
    write(bytes.toArray(ValueLayout.JAVA_BYTE));
  }

  /** Puts bytes in, over the oldest if there is no room. */
  @HomeThread
  public void write(byte[] bytes) {
    for (byte each : bytes) {
      memory[(int) (written++ & (memory.length - 1))] = each;
    }
    read = Math.max(read, written - memory.length);
  }

  /** Takes the oldest bytes out. */
  @HomeThread
  public byte[] read(long most) {
    byte[] bytes = new byte[(int) Math.min(most, written - read)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = memory[(int) (read++ & (memory.length - 1))];
    }
    return bytes;
  }

  @Override
  public void close() {
    stream.shutdown();
  }
}
