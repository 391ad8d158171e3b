package org.tinamou.aio.poller;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.IoRequest;
import org.tinamou.host.LinuxFiles;

/**
 * One request on its way to a worker, which makes the system call, and back. Whoever claims it
 * first, the worker or a cancellation, decides its fate.
 */
final class FileJob implements Runnable {
  private static final VarHandle CLAIMED;

  static {
    try {
      CLAIMED = MethodHandles.lookup().findVarHandle(FileJob.class, "claimed", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final IoRequest request;

  /** Link of the queue of finished jobs. */
  @Nullable FileJob next;

  private final EpollPoller poller;
  private long result;

  @SuppressWarnings("unused") // through CLAIMED
  private volatile boolean claimed;

  FileJob(EpollPoller poller, IoRequest request) {
    this.poller = poller;
    this.request = request;
  }

  /** True for the first caller only. */
  boolean claim() {
    return CLAIMED.compareAndSet(this, false, true);
  }

  @Override
  public void run() {
    if (claim()) {
      poller.finished(this, perform());
    }
  }

  private long perform() {
    int fd = request.fd();
    long offset = request.offsetBytes();
    MemorySegment segment = request.segment();
    return switch (request.op()) {
      case READ ->
          segment != null
              ? LinuxFiles.pread(fd, segment, offset)
              : LinuxFiles.preadv(fd, java.util.Objects.requireNonNull(request.vector()), offset);
      case WRITE ->
          segment != null
              ? LinuxFiles.pwrite(fd, segment, offset)
              : LinuxFiles.pwritev(fd, java.util.Objects.requireNonNull(request.vector()), offset);
      case FSYNC -> LinuxFiles.fsync(fd);
      case FDATASYNC -> LinuxFiles.fdatasync(fd);
      case FALLOCATE -> LinuxFiles.fallocate(fd, request.mode(), offset, request.lengthBytes());
    };
  }

  void result(long value) {
    result = value;
  }

  /** On the home thread, out of the queue of finished jobs. */
  void complete() {
    request.pollerState = null;
    request.complete(result);
  }
}
