package org.tinamou.aio;

import java.nio.file.Path;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;

/** A loop with nothing outside of it: only what is queued on it happens. */
final class StressLoop {
  private static final Outside OUTSIDE = new Outside();

  final AioContext context =
      new AioContext(
          new LoopSetup(
              "stress",
              OUTSIDE,
              OUTSIDE,
              OUTSIDE,
              OUTSIDE,
              BusyPolling.OFF,
              LoopHooks.NONE,
              (loop, source, failure) -> {
                throw new IllegalStateException(failure);
              }));

  /** Turns the loop until it has run everything that was queued when it last collected. */
  void turn() {
    do {
      context.turn().step();
    } while (context.turn().phase() != LoopTurn.Phase.READY);
  }

  /** Never ready, never complete, always now. */
  private static final class Outside implements Poller, Clocks, Workers, HostFiles {
    @Override
    public void submit(IoRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void cancel(IoRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void update(FdWatch watch) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void replace(int fd, int byFd) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Kind kind(Path path) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void poll(long timeoutNanos) {}

    @Override
    public void wake() {}

    @Override
    public int inFlight() {
      return 0;
    }

    @Override
    public void close() {}

    @Override
    public long nanos(ClockType clock) {
      return 0;
    }

    @Override
    public boolean isRunning(ClockType clock) {
      return true;
    }

    @Override
    public void onChange(Runnable listener) {}

    @Override
    public void removeListener(Runnable listener) {}

    @Override
    public void execute(Runnable job) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int open(Path path, int permissions, OpenFlag... flags) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close(int fd) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Status status(int fd) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void truncate(int fd, long sizeBytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long nextData(int fd, long offsetBytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long nextHole(int fd, long offsetBytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long copyRange(
        int fromFd, long fromOffsetBytes, int toFd, long toOffsetBytes, long lengthBytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean tryLock(int fd, LockType type, long startBytes, long lengthBytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean isLockedByOther(int fd, LockType type, long startBytes, long lengthBytes) {
      throw new UnsupportedOperationException();
    }
  }
}
