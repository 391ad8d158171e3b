package org.tinamou.aio;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.IoVector;

/**
 * One operation on a descriptor on its way through a {@link Poller}. Made, pooled and waited for by
 * {@link IoEngine}; pollers read its parameters and complete it exactly once, on the home thread of
 * the loop it was submitted to.
 */
public final class IoRequest {
  private static final long IN_FLIGHT = Long.MIN_VALUE;

  /** Free for the poller that holds the request, e.g. an index into its tables. */
  public int pollerSlot;

  /** Free for the poller that holds the request. */
  public @Nullable Object pollerState;

  @Nullable Coroutine waiter;
  @Nullable IoRequest nextFree;

  private IoOp op = IoOp.READ;
  private int fd;
  private @Nullable MemorySegment segment;
  private @Nullable IoVector vector;
  private long offsetBytes;
  private long lengthBytes;
  private int mode;
  private long result;

  IoRequest() {}

  void prepare(IoOp op, int fd, long offsetBytes, long lengthBytes, int mode) {
    this.op = op;
    this.fd = fd;
    this.offsetBytes = offsetBytes;
    this.lengthBytes = lengthBytes;
    this.mode = mode;
    this.result = IN_FLIGHT;
  }

  void buffer(@Nullable MemorySegment segment, @Nullable IoVector vector) {
    this.segment = segment;
    this.vector = vector;
  }

  public IoOp op() {
    return op;
  }

  public int fd() {
    return fd;
  }

  /**
   * The buffer of a READ or WRITE that has just one segment; null if it has a {@link #vector()}.
   */
  public @Nullable MemorySegment segment() {
    return segment;
  }

  /** The buffers of a READ or WRITE of several segments; null if it has a {@link #segment()}. */
  public @Nullable IoVector vector() {
    return vector;
  }

  public long offsetBytes() {
    return offsetBytes;
  }

  /** The number of bytes to transfer, or the length of the range to allocate. */
  public long lengthBytes() {
    return lengthBytes;
  }

  /** The mode bits of {@link IoOp#FALLOCATE}. */
  public int mode() {
    return mode;
  }

  /**
   * Ends the request and queues whoever waits for it.
   *
   * @param result bytes transferred or 0, or a negative errno
   */
  public void complete(long result) {
    Check.state(this.result == IN_FLIGHT, "request completed twice");
    this.result = result;
    Coroutine woken = waiter;
    if (woken != null) {
      woken.context().stopWaiting();
      woken.wake();
    }
  }

  boolean isComplete() {
    return result != IN_FLIGHT;
  }

  long result() {
    return result;
  }
}
