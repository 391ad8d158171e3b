package org.tinamou.monitor.chardev;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.IoVector;

/** A connection whose peer speaks telnet: what it says of the terminal is taken out. */
final class TelnetStream implements StreamSocket {
  private static final byte INTERPRET = (byte) 0xff;
  private static final byte WILL = (byte) 0xfb;
  private static final byte WONT = (byte) 0xfc;
  private static final byte DO = (byte) 0xfd;
  private static final byte DONT = (byte) 0xfe;

  /** This side echoes, goes ahead and sends all bytes, and so shall the other. */
  private static final byte[] GREETING = {
    INTERPRET, WILL, 1, INTERPRET, WILL, 3, INTERPRET, WILL, 0, INTERPRET, DO, 0
  };

  private enum Expected {
    DATA,
    COMMAND,
    OPTION
  }

  private final StreamSocket below;
  private Expected expected = Expected.DATA;

  TelnetStream(StreamSocket below) {
    this.below = below;
  }

  /** Says what this side does; a negative errno if that fails. */
  @InCoroutine
  long greet() {
    return below.write(
        Arena.ofAuto().allocate(GREETING.length).copyFrom(MemorySegment.ofArray(GREETING)));
  }

  @Override
  public long read(MemorySegment buffer) {
    while (true) {
      long got = below.read(buffer);
      if (got <= 0) {
        return got;
      }
      long kept = keepData(buffer, got);
      if (kept > 0) {
        return kept;
      }
    }
  }

  private long keepData(MemorySegment buffer, long got) {
    long kept = 0;
    for (long i = 0; i < got; i++) {
      byte each = buffer.get(ValueLayout.JAVA_BYTE, i);
      switch (expected) {
        case DATA -> {
          if (each == INTERPRET) {
            expected = Expected.COMMAND;
          } else {
            buffer.set(ValueLayout.JAVA_BYTE, kept++, each);
          }
        }
        case COMMAND -> {
          boolean hasOption = each == WILL || each == WONT || each == DO || each == DONT;
          expected = hasOption ? Expected.OPTION : Expected.DATA;
          if (each == INTERPRET) {
            buffer.set(ValueLayout.JAVA_BYTE, kept++, each);
          }
        }
        case OPTION -> expected = Expected.DATA;
      }
    }
    return kept;
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
    below.close();
  }
}
