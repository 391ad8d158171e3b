package org.tinamou.testkit.net;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;

/** One direction of a connection. */
final class SimPipe {
  private static final int CAPACITY_BYTES = 96 << 10;
  private static final int ECONNRESET = -Errno.ECONNRESET.number();
  private static final int EPIPE = -Errno.EPIPE.number();
  private static final int ECANCELED = -Errno.ECANCELED.number();

  private record Piece(byte[] bytes, long dueNanos) {}

  private final SimNetwork network;
  private final ArrayDeque<Piece> pieces = new ArrayDeque<>();
  private final ByteArrayOutputStream record = new ByteArrayOutputStream();
  private int taken;
  private int queuedBytes;
  private long lastDueNanos;
  private boolean finished;
  private boolean reset;
  private boolean readerGone;
  private boolean dripping;
  private long cutAfterBytes = Long.MAX_VALUE;
  private Cut cut = Cut.FIN;
  private long writtenBytes;
  private @Nullable Coroutine reader;
  private @Nullable Coroutine writer;

  SimPipe(SimNetwork network) {
    this.network = network;
  }

  /** Delivers so many bytes and then no more. */
  void cutAfter(long bytes, Cut how) {
    cutAfterBytes = bytes;
    cut = how;
    if (writtenBytes >= bytes) {
      end(how);
    }
  }

  /** Delivers one byte at a time. */
  void drip() {
    dripping = true;
  }

  byte[] recorded() {
    return record.toByteArray();
  }

  private void end(Cut how) {
    switch (how) {
      case FIN -> finished = true;
      case RESET -> reset();
      case STALL -> {}
    }
    wake();
  }

  /** The connection is gone, and what was on its way too. */
  void reset() {
    reset = true;
    pieces.clear();
    queuedBytes = 0;
    wake();
  }

  /** The writer has ended its direction. */
  void finish() {
    if (writtenBytes < cutAfterBytes || cut != Cut.STALL) {
      finished = true;
    }
    wake();
  }

  /** Nobody reads any more. */
  void abandon() {
    readerGone = true;
    wake();
  }

  private void wake() {
    Coroutine waitingReader = reader;
    if (waitingReader != null) {
      waitingReader.wake();
    }
    Coroutine waitingWriter = writer;
    if (waitingWriter != null) {
      waitingWriter.wake();
    }
  }

  long read(MemorySegment buffer) {
    Coroutine self = Coroutine.current();
    reader = self;
    try {
      while (true) {
        if (readerGone) {
          return 0;
        }
        if (reset) {
          return ECONNRESET;
        }
        Piece first = pieces.peek();
        if (first != null && first.dueNanos <= network.nowNanos()) {
          return take(first, buffer);
        }
        if (first == null && finished) {
          return 0;
        }
        if (self.isCancelRequested()) {
          return ECANCELED;
        }
        await(self, first == null ? -1 : first.dueNanos);
      }
    } finally {
      reader = null;
    }
  }

  private void await(Coroutine self, long untilNanos) {
    if (untilNanos < 0) {
      Coroutine.suspend("simulated socket");
      return;
    }
    AioTimer timer = self.context().timer(ClockType.REALTIME, "simulated socket", self::wake);
    timer.armAt(untilNanos);
    Coroutine.suspend("simulated socket");
    timer.cancel();
  }

  private long take(Piece first, MemorySegment buffer) {
    int left = first.bytes.length - taken;
    int most = (int) Math.min(left, buffer.byteSize());
    int count = dripping ? 1 : network.pieceBytes(most);
    MemorySegment.copy(first.bytes, taken, buffer, ValueLayout.JAVA_BYTE, 0, count);
    taken += count;
    queuedBytes -= count;
    if (taken == first.bytes.length) {
      pieces.remove();
      taken = 0;
    }
    Coroutine waiting = writer;
    if (waiting != null) {
      waiting.wake();
    }
    return count;
  }

  long write(MemorySegment data) {
    Coroutine self = Coroutine.current();
    writer = self;
    try {
      long done = 0;
      while (done < data.byteSize()) {
        if (reset || readerGone || finished) {
          return EPIPE;
        }
        int room = CAPACITY_BYTES - queuedBytes;
        if (room > 0) {
          int count = (int) Math.min(room, data.byteSize() - done);
          put(data.asSlice(done, count).toArray(ValueLayout.JAVA_BYTE));
          done += count;
        } else if (self.isCancelRequested()) {
          return ECANCELED;
        } else {
          Coroutine.suspend("simulated socket");
        }
      }
      return done;
    } finally {
      writer = null;
    }
  }

  private void put(byte[] bytes) {
    record.writeBytes(bytes);
    long allowed = Math.max(0, Math.min(bytes.length, cutAfterBytes - writtenBytes));
    writtenBytes += bytes.length;
    if (allowed > 0) {
      byte[] kept = allowed == bytes.length ? bytes : java.util.Arrays.copyOf(bytes, (int) allowed);
      lastDueNanos = Math.max(lastDueNanos, network.nowNanos() + network.latencyNanos());
      pieces.add(new Piece(kept, lastDueNanos));
      queuedBytes += kept.length;
    }
    if (writtenBytes >= cutAfterBytes) {
      end(cut);
    }
    Coroutine waiting = reader;
    if (waiting != null) {
      waiting.wake();
    }
  }
}
