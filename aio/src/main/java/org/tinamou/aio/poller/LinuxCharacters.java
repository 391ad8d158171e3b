package org.tinamou.aio.poller;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.host.LinuxFiles;

/**
 * Descriptors used like a connection. Their mode stays as it is, since others may share it: one
 * call is made whenever they are ready, with no more than a pipe takes without blocking.
 */
final class LinuxCharacters implements StreamSocket {
  private static final int EAGAIN = -Errno.EAGAIN.number();
  private static final int ECANCELED = -Errno.ECANCELED.number();
  private static final int EPIPE = -Errno.EPIPE.number();

  /** PIPE_BUF: a pipe that can be written takes so much at least. */
  private static final int MAX_WRITE_BYTES = 4096;

  private final int input;
  private final int output;
  private final boolean owned;
  private volatile boolean ended;
  private boolean closed;
  private volatile @Nullable Coroutine reader;
  private volatile @Nullable Coroutine writer;

  /**
   * A connection of two descriptors, of which either may be missing.
   *
   * @param owned whether they are closed with it
   */
  LinuxCharacters(int input, int output, boolean owned) {
    this.input = input;
    this.output = output;
    this.owned = owned;
  }

  @Override
  public long read(MemorySegment buffer) {
    Coroutine self = Coroutine.current();
    reader = self;
    try {
      while (!ended) {
        if (!await(self, input, FdWatch.READABLE)) {
          return ended ? 0 : ECANCELED;
        }
        long result = LinuxFiles.read(input, buffer);
        if (result != EAGAIN) {
          return result;
        }
      }
      return 0;
    } finally {
      reader = null;
    }
  }

  @Override
  public long write(MemorySegment buffer) {
    if (output < 0) {
      return buffer.byteSize();
    }
    Coroutine self = Coroutine.current();
    writer = self;
    try {
      long done = 0;
      while (done < buffer.byteSize()) {
        if (!await(self, output, FdWatch.WRITABLE)) {
          return ended ? EPIPE : ECANCELED;
        }
        long count = Math.min(MAX_WRITE_BYTES, buffer.byteSize() - done);
        long result = LinuxFiles.write(output, buffer.asSlice(done, count));
        if (result < 0 && result != EAGAIN) {
          return result;
        }
        done += Math.max(result, 0);
      }
      return done;
    } finally {
      writer = null;
    }
  }

  @Override
  public long write(IoVector buffers) {
    for (MemorySegment each : buffers.segments()) {
      long result = write(each);
      if (result < 0) {
        return result;
      }
    }
    return buffers.sizeBytes();
  }

  /** Waits until the descriptor may be ready, for ever if there is none; false if that is over. */
  private boolean await(Coroutine self, int fd, int events) {
    boolean[] ready = new boolean[1];
    FdWatch watch =
        fd < 0
            ? null
            : self.context()
                .watch(
                    fd,
                    events,
                    got -> {
                      ready[0] = true;
                      self.wake();
                    });
    try {
      while (!ready[0] && !ended && !self.isCancelRequested()) {
        Coroutine.suspend("characters");
      }
    } finally {
      if (watch != null) {
        watch.remove();
      }
    }
    return ready[0] && !ended;
  }

  @Override
  public void shutdown() {
    ended = true;
    Coroutine waitingReader = reader;
    if (waitingReader != null) {
      waitingReader.wake();
    }
    Coroutine waitingWriter = writer;
    if (waitingWriter != null) {
      waitingWriter.wake();
    }
  }

  @Override
  public void close() {
    shutdown();
    if (owned && !closed) {
      closed = true;
      if (input >= 0) {
        LinuxFiles.close(input);
      }
      if (output >= 0 && output != input) {
        LinuxFiles.close(output);
      }
    }
  }

  @Override
  public String toString() {
    return "characters of " + input + " and " + output;
  }
}
