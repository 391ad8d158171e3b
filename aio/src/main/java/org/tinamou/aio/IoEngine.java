package org.tinamou.aio;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;

/**
 * File I/O of one loop, as coroutines see it: each call parks its coroutine until the host has done
 * it. Results are bytes or 0, or a negative errno (see {@link org.tinamou.base.Errno#ofResult});
 * reads and writes may transfer fewer bytes than asked.
 *
 * <p>Buffers stay the caller's, are off-heap, belong to no confined arena, and must stay alive
 * until the call returns. Call from a coroutine of the engine's loop. If the coroutine's cancel
 * flag is raised while it waits, the host is asked to give the request up, which then ends with
 * -ECANCELED or normally.
 */
public final class IoEngine {
  private static final int POOLED_REQUESTS = 1024;
  private static final int MAX_AT_HAND_BYTES = 64 << 10;
  private static final int MAX_AT_HAND_TURN_BYTES = 8 << 20;
  private static final long EAGAIN = -Errno.EAGAIN.number();

  private final AioContext context;
  private final Poller poller;
  private @Nullable IoRequest free;
  private int freeCount;

  /** How much was read without parking in which turn. */
  private long atHandTurn;

  private long atHandBytes;

  IoEngine(AioContext context, Poller poller) {
    this.context = context;
    this.poller = poller;
  }

  /** Connections for coroutines of this loop. */
  @AnyThread
  public SocketHost sockets() {
    return poller.sockets();
  }

  /** Reads into the segment from a position of the file; 0 at its end. */
  @InCoroutine
  public long read(int fd, MemorySegment buffer, long offsetBytes) {
    return transfer(IoOp.READ, fd, buffer, null, offsetBytes, buffer.byteSize());
  }

  /** Reads into the vector's segments in order; 0 at the end of the file. */
  @InCoroutine
  public long read(int fd, IoVector buffers, long offsetBytes) {
    return transfer(IoOp.READ, fd, buffers, offsetBytes);
  }

  /**
   * Receives from a socket that blocks; 0 at the end.
   *
   * @param all whether to wait until the buffer is full; fewer bytes come then only at the end or
   *     before an error
   */
  @InCoroutine
  public long receive(int fd, MemorySegment buffer, boolean all) {
    IoOp op = all ? IoOp.RECEIVE_ALL : IoOp.RECEIVE;
    return transfer(op, fd, buffer, null, 0, buffer.byteSize());
  }

  /**
   * Reads from the host's cache without parking. Only so much in one turn of the loop, for others
   * want their turn too; and only little at a time.
   *
   * @return how many bytes, 0 at the end of the file, or a negative number if there is nothing at
   *     hand, it is too much or it failed: {@link #read} tells
   */
  @InCoroutine
  public long readAtHand(int fd, MemorySegment buffer, long offsetBytes) {
    long turn = context.turn().turns();
    if (turn != atHandTurn) {
      atHandTurn = turn;
      atHandBytes = 0;
    }
    long bytes = buffer.byteSize();
    if (bytes > MAX_AT_HAND_BYTES || atHandBytes >= MAX_AT_HAND_TURN_BYTES) {
      return EAGAIN;
    }
    atHandBytes += bytes;
    return poller.readAtHand(fd, buffer, offsetBytes);
  }

  /** Writes the segment at a position of the file. */
  @InCoroutine
  public long write(int fd, MemorySegment buffer, long offsetBytes) {
    return transfer(IoOp.WRITE, fd, buffer, null, offsetBytes, buffer.byteSize());
  }

  /** Writes the vector's segments in order. */
  @InCoroutine
  public long write(int fd, IoVector buffers, long offsetBytes) {
    return transfer(IoOp.WRITE, fd, buffers, offsetBytes);
  }

  /** fsync(2). */
  @InCoroutine
  public long fsync(int fd) {
    return perform(request(IoOp.FSYNC, fd, 0, 0, 0));
  }

  /** fdatasync(2). */
  @InCoroutine
  public long fdatasync(int fd) {
    return perform(request(IoOp.FDATASYNC, fd, 0, 0, 0));
  }

  /** fallocate(2) with its mode bits. */
  @InCoroutine
  public long fallocate(int fd, int mode, long offsetBytes, long lengthBytes) {
    return perform(request(IoOp.FALLOCATE, fd, offsetBytes, lengthBytes, mode));
  }

  private long transfer(IoOp op, int fd, IoVector buffers, long offsetBytes) {
    return buffers.segments().size() == 1
        ? transfer(op, fd, buffers.segments().getFirst(), null, offsetBytes, buffers.sizeBytes())
        : transfer(op, fd, null, buffers, offsetBytes, buffers.sizeBytes());
  }

  private long transfer(
      IoOp op,
      int fd,
      @Nullable MemorySegment segment,
      @Nullable IoVector vector,
      long offsetBytes,
      long lengthBytes) {
    Check.argument(offsetBytes >= 0, "offset must not be negative: %s", offsetBytes);
    if (lengthBytes == 0) {
      return 0;
    }
    IoRequest request = request(op, fd, offsetBytes, lengthBytes, 0);
    request.buffer(segment, vector);
    return perform(request);
  }

  private IoRequest request(IoOp op, int fd, long offsetBytes, long lengthBytes, int mode) {
    IoRequest request = free;
    if (request == null) {
      request = new IoRequest();
    } else {
      free = request.nextFree;
      request.nextFree = null;
      freeCount--;
    }
    request.prepare(op, fd, offsetBytes, lengthBytes, mode);
    return request;
  }

  private long perform(IoRequest request) {
    Coroutine self = caller();
    if (context.hooks().yieldAt(LoopHooks.Point.BEFORE_IO)) {
      Coroutine.yieldNow();
    }
    boolean cancelSeen = self.isCancelRequested();
    request.waiter = self;
    poller.submit(request);
    while (!request.isComplete()) {
      self.suspendSelf("I/O");
      if (!cancelSeen && self.isCancelRequested() && !request.isComplete()) {
        cancelSeen = true;
        poller.cancel(request);
      }
    }
    long result = request.result();
    recycle(request);
    return result;
  }

  /** The coroutine that calls; told by the loop, which is cheaper than a thread local. */
  private Coroutine caller() {
    Coroutine running = context.running();
    if (running == null || running.thread() != Thread.currentThread()) {
      throw new IllegalStateException(
          Coroutine.current() + " does I/O of a foreign loop, " + context.name());
    }
    return running;
  }

  private void recycle(IoRequest request) {
    request.waiter = null;
    request.buffer(null, null);
    if (freeCount < POOLED_REQUESTS) {
      request.nextFree = free;
      free = request;
      freeCount++;
    }
  }

  void close() {
    free = null;
    freeCount = 0;
  }
}
