package org.tinamou.monitor.chardev;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.CharacterHost;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.PassedDescriptor;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;

/** A pseudo-terminal; a connection begins when somebody opens it and ends when nobody has it. */
final class PtyDevice extends CharDevice {
  private static final long LOOK_AGAIN_NANOS = 1_000_000_000L;
  private static final int EAGAIN = -Errno.EAGAIN.number();

  private final AioContext main;
  private final CharacterHost.PseudoTerminal terminal;
  private final MemorySegment first = Arena.ofAuto().allocate(512);
  private boolean open = true;
  private boolean closed;
  private int connections;
  private @Nullable Coroutine waiting;

  PtyDevice(String id, AioContext main, CharacterHost.PseudoTerminal terminal) {
    super(id);
    this.main = main;
    this.terminal = terminal;
  }

  String path() {
    return terminal.path();
  }

  @Override
  public String fileName() {
    return "pty:" + terminal.path();
  }

  /** The kernel does not tell when the other end is opened, so it is asked once a second. */
  @Override
  public @Nullable StreamSocket next() {
    Coroutine self = Coroutine.current();
    waiting = self;
    try {
      while (!closed) {
        long got = terminal.tryRead(first);
        if (got > 0 || got == EAGAIN) {
          connections++;
          return new Opened(terminal.connect(), Math.max(0, got));
        }
        AioTimer timer = main.timer(ClockType.REALTIME, "pty " + id(), self::wake);
        timer.armIn(LOOK_AGAIN_NANOS);
        while (!closed && timer.isArmed()) {
          Coroutine.suspend("somebody who opens " + terminal.path());
        }
        timer.cancel();
      }
      return null;
    } finally {
      waiting = null;
      closeIfUnused();
    }
  }

  private void closeIfUnused() {
    if (closed && connections == 0 && waiting == null && open) {
      open = false;
      terminal.close();
    }
  }

  /** The terminal while somebody has it open. Ending a connection does not close it. */
  private final class Opened implements StreamSocket {
    private final StreamSocket stream;
    private long firstBytes;
    private boolean ended;

    Opened(StreamSocket stream, long firstBytes) {
      this.stream = stream;
      this.firstBytes = firstBytes;
    }

    @Override
    public long read(MemorySegment buffer) {
      if (firstBytes > 0) {
        long count = Math.min(firstBytes, buffer.byteSize());
        buffer.copyFrom(first.asSlice(0, count));
        first.asSlice(0, firstBytes - count).copyFrom(first.asSlice(count, firstBytes - count));
        firstBytes -= count;
        return count;
      }
      return stream.read(buffer);
    }

    @Override
    public long receive(MemorySegment buffer, Consumer<PassedDescriptor> passed) {
      return read(buffer);
    }

    @Override
    public long write(MemorySegment buffer) {
      return stream.write(buffer);
    }

    @Override
    public long write(IoVector buffers) {
      return stream.write(buffers);
    }

    @Override
    public void shutdown() {
      stream.shutdown();
    }

    @Override
    public void close() {
      if (!ended) {
        ended = true;
        stream.close();
        connections--;
        closeIfUnused();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    Coroutine waiter = waiting;
    if (waiter != null) {
      waiter.wake();
    }
    closeIfUnused();
  }
}
