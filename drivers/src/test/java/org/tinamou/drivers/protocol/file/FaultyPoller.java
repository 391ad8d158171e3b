package org.tinamou.drivers.protocol.file;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.IoOp;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.base.IoVector;
import org.tinamou.host.LinuxFiles;

/** Does real I/O, but only as much of each request as the test lets it do. */
final class FaultyPoller implements Poller {
  /** What becomes of a request. */
  interface Plan {
    /**
     * @return a negative errno to fail with, or the most bytes to move
     */
    long limit(IoOp op, long offsetBytes, long lengthBytes);
  }

  private final Plan plan;
  private final ArrayDeque<IoRequest> submitted = new ArrayDeque<>();
  private final Semaphore woken = new Semaphore(0);

  FaultyPoller(Plan plan) {
    this.plan = plan;
  }

  @Override
  public void submit(IoRequest request) {
    submitted.add(request);
  }

  @Override
  public void cancel(IoRequest request) {}

  @Override
  public void update(FdWatch watch) {}

  @Override
  public void poll(long timeoutNanos) {
    if (submitted.isEmpty() && timeoutNanos != 0) {
      try {
        if (timeoutNanos == FOREVER) {
          woken.acquire();
        } else {
          woken.tryAcquire(timeoutNanos, TimeUnit.NANOSECONDS);
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    woken.drainPermits();
    for (int left = submitted.size(); left > 0; left--) {
      IoRequest request = submitted.remove();
      request.complete(perform(request));
    }
  }

  private long perform(IoRequest request) {
    long limit = plan.limit(request.op(), request.offsetBytes(), request.lengthBytes());
    if (limit < 0) {
      return limit;
    }
    int fd = request.fd();
    long offset = request.offsetBytes();
    return switch (request.op()) {
      case READ -> LinuxFiles.pread(fd, first(request, limit), offset);
      case WRITE -> LinuxFiles.pwrite(fd, first(request, limit), offset);
      case FSYNC -> LinuxFiles.fsync(fd);
      case FDATASYNC -> LinuxFiles.fdatasync(fd);
      case RECEIVE, RECEIVE_ALL -> throw new AssertionError("not a file");
      case FALLOCATE -> LinuxFiles.fallocate(fd, request.mode(), offset, request.lengthBytes());
    };
  }

  private static MemorySegment first(IoRequest request, long limit) {
    List<MemorySegment> segments =
        request.segment() != null
            ? List.of(request.segment())
            : IoVector.of(request.vector().segments()).segments();
    MemorySegment segment = segments.getFirst();
    return segment.asSlice(0, Math.min(limit, segment.byteSize()));
  }

  @Override
  public void wake() {
    woken.release();
  }

  @Override
  public int inFlight() {
    return submitted.size();
  }

  @Override
  public void close() {}
}
