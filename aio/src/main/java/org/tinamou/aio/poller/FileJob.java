package org.tinamou.aio.poller;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.IoRequest;

/**
 * One request on its way to a worker, which carries it out, and back. Whoever claims it first, the
 * worker or a cancellation, decides its fate.
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

  private final WorkerRequests owner;
  private long result;

  @SuppressWarnings("unused") // through CLAIMED
  private volatile boolean claimed;

  FileJob(WorkerRequests owner, IoRequest request) {
    this.owner = owner;
    this.request = request;
  }

  /** True for the first caller only. */
  boolean claim() {
    return CLAIMED.compareAndSet(this, false, true);
  }

  @Override
  public void run() {
    if (claim()) {
      result = owner.perform(request);
      owner.finished(this);
    }
  }

  /** On the home thread, out of the queue of finished jobs. */
  void complete() {
    request.pollerState = null;
    request.complete(result);
  }
}
