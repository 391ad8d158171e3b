package org.tinamou.aio;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.IoVector;
import org.tinamou.base.SystemClocks;

/**
 * Drives a poller from the test's own thread, without turning its loop: makes requests and watches
 * as the loop would, polls when the test says so and runs the handlers of what became ready.
 */
public final class PollerDriver implements AutoCloseable {
  private final AioContext context;
  private final Poller poller;
  private final List<FdWatch> watches = new ArrayList<>();

  public PollerDriver(Poller poller, Workers workers, HostFiles hostFiles) {
    this.poller = poller;
    this.context =
        new AioContext(
            new LoopSetup(
                "driven",
                poller,
                new SystemClocks(),
                workers,
                hostFiles,
                BusyPolling.OFF,
                LoopHooks.NONE,
                (loop, source, failure) -> {
                  throw new AssertionError(source + " failed", failure);
                }));
  }

  public AioContext context() {
    return context;
  }

  public IoRequest read(int fd, MemorySegment buffer, long offsetBytes) {
    return request(IoOp.READ, fd, offsetBytes, buffer.byteSize(), 0, buffer, null);
  }

  public IoRequest write(int fd, MemorySegment buffer, long offsetBytes) {
    return request(IoOp.WRITE, fd, offsetBytes, buffer.byteSize(), 0, buffer, null);
  }

  public IoRequest read(int fd, IoVector buffers, long offsetBytes) {
    return request(IoOp.READ, fd, offsetBytes, buffers.sizeBytes(), 0, null, buffers);
  }

  public IoRequest write(int fd, IoVector buffers, long offsetBytes) {
    return request(IoOp.WRITE, fd, offsetBytes, buffers.sizeBytes(), 0, null, buffers);
  }

  /** Makes a request and submits it. */
  public IoRequest request(
      IoOp op,
      int fd,
      long offsetBytes,
      long lengthBytes,
      int mode,
      @Nullable MemorySegment segment,
      @Nullable IoVector vector) {
    IoRequest request = new IoRequest();
    request.prepare(op, fd, offsetBytes, lengthBytes, mode);
    request.buffer(segment, vector);
    poller.submit(request);
    return request;
  }

  public boolean isComplete(IoRequest request) {
    return request.isComplete();
  }

  /** Polls until the request has completed. */
  public long result(IoRequest request) {
    while (!request.isComplete()) {
      poller.poll(Poller.FOREVER);
    }
    return request.result();
  }

  /** Polls until all requests have completed. */
  public void await(List<IoRequest> requests) {
    requests.forEach(this::result);
  }

  /** A watch that is removed at {@link #close} at the latest. */
  public FdWatch watch(int fd, int events, FdWatch.Handler handler) {
    FdWatch watch = context.watch(fd, events, handler);
    watches.add(watch);
    return watch;
  }

  /** Polls once and runs the handlers of what became ready; returns how many were queued. */
  public int turn(long timeoutNanos) {
    poller.poll(timeoutNanos);
    int dispatched = 0;
    while (context.watches().dispatchOne()) {
      dispatched++;
    }
    return dispatched;
  }

  @Override
  public void close() {
    watches.forEach(FdWatch::remove);
    context.close();
  }
}
