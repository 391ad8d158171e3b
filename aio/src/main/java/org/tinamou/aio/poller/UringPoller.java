package org.tinamou.aio.poller;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.IoOp;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.aio.SocketHost;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.host.AtHandReader;
import org.tinamou.host.Epoll;
import org.tinamou.host.IoUring;
import org.tinamou.host.Iovecs;

/**
 * A loop's requests, watches and wake-ups through one io_uring: one system call hands over all that
 * was prepared and waits. Requests beyond the ring's room wait in a queue; each belongs to a parked
 * coroutine, so their number bounds it. Allocates nothing per request once warm.
 */
final class UringPoller implements Poller {
  private static final int RING_ENTRIES = 256;
  private static final int COMPLETION_ENTRIES = 1024;

  /**
   * Reads from there on are left to a worker of the kernel: copied out of the host's cache by the
   * loop's own thread, each would keep all others waiting.
   */
  private static final int LONG_READ_BYTES = 512 << 10;

  private static final int CANCELLED = 1;
  private static final int RETRIED = 1 << 1;
  private static final int EINTR = -Errno.EINTR.number();
  private static final int EAGAIN = -Errno.EAGAIN.number();
  private static final int EBUSY = -Errno.EBUSY.number();
  private static final int ECANCELED = -Errno.ECANCELED.number();

  private final IoUring ring;
  private final WakeSignal wakeSignal;
  private final AtHandReader atHand = new AtHandReader();
  private final RequestTable requests = new RequestTable();
  private final UringWatches watches = new UringWatches(new WatchedRing());
  private final ArrayDeque<IoRequest> waiting = new ArrayDeque<>();
  private final ArrayDeque<IoRequest> givenUp = new ArrayDeque<>();

  /** Memory for the buffer lists of the entries prepared; the kernel copies them at submission. */
  private final @Nullable MemorySegment[] iovecs;

  private boolean wakeSignalArmed;

  private UringPoller(IoUring ring, WakeSignal wakeSignal) {
    this.ring = ring;
    this.wakeSignal = wakeSignal;
    this.iovecs = new MemorySegment[ring.capacity()];
  }

  /**
   * A poller with a ring of its own.
   *
   * @throws ErrnoException if the kernel has no io_uring, forbids it or is out of memory for it
   */
  static UringPoller open() throws ErrnoException {
    IoUring ring = IoUring.open(RING_ENTRIES, COMPLETION_ENTRIES);
    try {
      return new UringPoller(ring, new WakeSignal());
    } catch (ErrnoException e) {
      ring.close();
      throw e;
    }
  }

  // ---- requests

  @Override
  public void submit(IoRequest request) {
    requests.add(request);
    if (waiting.isEmpty() && ring.spaceLeft() > 0) {
      prepare(request);
    } else {
      waiting.add(request);
    }
  }

  private void prepare(IoRequest request) {
    int slot = request.pollerSlot;
    long tag = UringTag.of(UringTag.REQUEST, slot, requests.generation(slot));
    int fd = request.fd();
    long offset = request.offsetBytes();
    MemorySegment segment = request.segment();
    switch (request.op()) {
      case READ -> {
        if (segment != null) {
          ring.prepareRead(fd, segment, offset, tag);
        } else {
          prepareVector(request, tag);
        }
      }
      case WRITE -> {
        if (segment != null) {
          ring.prepareWrite(fd, segment, offset, tag);
        } else {
          prepareVector(request, tag);
        }
      }
      case RECEIVE, RECEIVE_ALL ->
          ring.prepareReceive(
              fd, java.util.Objects.requireNonNull(segment), request.op() == IoOp.RECEIVE_ALL, tag);
      case FSYNC -> ring.prepareFsync(fd, false, tag);
      case FDATASYNC -> ring.prepareFsync(fd, true, tag);
      case FALLOCATE ->
          ring.prepareFallocate(fd, request.mode(), offset, request.lengthBytes(), tag);
    }
    boolean isLongRead = request.op() == IoOp.READ && request.lengthBytes() >= LONG_READ_BYTES;
    if (isLongRead || requests.isMarked(slot, RETRIED)) {
      ring.changeLast(IoUring.ASYNC);
    }
  }

  private void prepareVector(IoRequest request, long tag) {
    IoVector vector = java.util.Objects.requireNonNull(request.vector());
    MemorySegment list = iovecMemory(Iovecs.bytes(Iovecs.count(vector)));
    int count = Iovecs.write(vector, list);
    if (request.op() == IoOp.READ) {
      ring.prepareReadv(request.fd(), list, count, request.offsetBytes(), tag);
    } else {
      ring.prepareWritev(request.fd(), list, count, request.offsetBytes(), tag);
    }
  }

  private MemorySegment iovecMemory(long bytes) {
    int index = ring.nextIndex();
    MemorySegment memory = iovecs[index];
    if (memory == null || memory.byteSize() < bytes) {
      memory = Arena.ofAuto().allocate(Long.highestOneBit(bytes * 2 - 1), 16);
      iovecs[index] = memory;
    }
    return memory;
  }

  @Override
  public long readAtHand(int fd, MemorySegment buffer, long offsetBytes) {
    return atHand.read(fd, buffer, offsetBytes);
  }

  @Override
  public void cancel(IoRequest request) {
    if (!requests.holds(request) || requests.isMarked(request.pollerSlot, CANCELLED)) {
      return;
    }
    int slot = request.pollerSlot;
    requests.mark(slot, CANCELLED);
    if (waiting.remove(request)) {
      givenUp.add(request);
    } else if (makeRoom()) {
      long tag = UringTag.of(UringTag.REQUEST, slot, requests.generation(slot));
      ring.prepareCancel(tag, UringTag.IGNORED);
    }
  }

  @Override
  public int inFlight() {
    return requests.count();
  }

  // ---- watches

  @Override
  public void update(FdWatch watch) {
    watches.update(watch);
  }

  private final class WatchedRing implements UringWatches.Ring {
    @Override
    public boolean arm(int fd, int kernelEvents, int slot, int generation) {
      if (!makeRoom()) {
        return false;
      }
      ring.preparePollAdd(fd, kernelEvents, UringTag.of(UringTag.WATCH, slot, generation));
      return true;
    }

    @Override
    public boolean disarm(int slot, int generation) {
      if (!makeRoom()) {
        return false;
      }
      long tag = UringTag.of(UringTag.WATCH, slot, generation);
      ring.preparePollRemove(tag, UringTag.IGNORED);
      return true;
    }
  }

  // ---- polling

  @Override
  public void poll(long timeoutNanos) {
    boolean mayWait = completeGivenUp();
    mayWait &= armWakeSignal();
    mayWait &= watches.flush();
    mayWait &= prepareWaiting();
    if (timeoutNanos != 0 && mayWait && ring.completions() == 0 && wakeSignal.fallAsleep()) {
      int result = ring.submitAndWait(1, timeoutNanos);
      wakeSignal.awake();
      check(result);
    } else {
      wakeSignal.ignore();
      if (ring.unsubmitted() > 0 || ring.needsEnter()) {
        check(ring.submit());
      }
    }
    reap();
  }

  private boolean completeGivenUp() {
    if (givenUp.isEmpty()) {
      return true;
    }
    for (IoRequest request; (request = givenUp.poll()) != null; ) {
      complete(request, ECANCELED);
    }
    return false;
  }

  private boolean armWakeSignal() {
    if (wakeSignalArmed) {
      return true;
    }
    if (!makeRoom()) {
      return false;
    }
    ring.preparePollMultishot(wakeSignal.fd(), Epoll.IN, UringTag.of(UringTag.WAKE, 0, 0));
    wakeSignalArmed = true;
    return true;
  }

  /** Moves requests from the queue into the ring; false if some completed or had to stay. */
  private boolean prepareWaiting() {
    boolean reaped = false;
    for (int left = waiting.size(); left > 0; left--) {
      if (ring.spaceLeft() == 0) {
        if (!makeRoom()) {
          return false;
        }
        reaped |= reap();
      }
      prepare(waiting.remove());
    }
    return !reaped;
  }

  /** Whether another operation can be prepared, after a submission if need be. */
  private boolean makeRoom() {
    if (ring.spaceLeft() > 0) {
      return true;
    }
    check(ring.submit());
    return ring.spaceLeft() > 0;
  }

  private static void check(int result) {
    if (result < 0 && result != EAGAIN && result != EBUSY) {
      throw new IllegalStateException("io_uring_enter: " + Errno.ofResult(result).message());
    }
  }

  // ---- completions

  /** Reports what the ring has completed; false if that was nothing. */
  private boolean reap() {
    int count = ring.completions();
    for (int i = 0; i < count; i++) {
      long tag = ring.userData(0);
      int result = ring.result(0);
      int flags = ring.flags(0);
      ring.consume(1);
      switch (UringTag.kind(tag)) {
        case UringTag.REQUEST -> completed(requests.get(UringTag.slot(tag)), result);
        case UringTag.WATCH ->
            watches.completed(UringTag.slot(tag), UringTag.generationOf(tag), result);
        case UringTag.WAKE -> {
          Check.state(result >= 0, "the poll of the wake signal failed: %s", result);
          wakeSignalArmed = (flags & IoUring.MORE) != 0;
        }
        default -> {
          // What a cancellation or removal says of itself interests nobody.
        }
      }
    }
    return count > 0;
  }

  private void completed(IoRequest request, int result) {
    if (result == EINTR || result == EAGAIN) {
      int slot = request.pollerSlot;
      if (requests.isMarked(slot, CANCELLED)) {
        complete(request, ECANCELED);
        return;
      }
      if (result == EINTR || !requests.isMarked(slot, RETRIED)) {
        // A worker of the kernel does it now, so that EAGAIN is the file's own answer.
        requests.mark(slot, RETRIED);
        waiting.add(request);
        return;
      }
    }
    complete(request, result);
  }

  private void complete(IoRequest request, long result) {
    requests.remove(request);
    request.complete(result);
  }

  @Override
  public SocketHost sockets() {
    return LinuxSocketHost.RING;
  }

  @AnyThread
  @Override
  public void wake() {
    wakeSignal.wake();
  }

  @Override
  public void close() {
    ring.close();
    wakeSignal.close();
  }
}
