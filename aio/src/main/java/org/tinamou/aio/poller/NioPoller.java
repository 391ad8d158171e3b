package org.tinamou.aio.poller;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.Selector;
import java.util.concurrent.TimeUnit;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.aio.Workers;
import org.tinamou.base.Check;

/**
 * A loop of nothing but the JDK's own classes: file requests through worker threads and channels,
 * waits through a selector, in whole milliseconds. It knows only the files of its {@link NioFiles}
 * and watches no descriptors.
 */
final class NioPoller implements Poller {
  private static final int AWAKE = 0;
  private static final int ASLEEP = 1;
  private static final int WOKEN = 2;
  private static final long NANOS_PER_MILLI = TimeUnit.MILLISECONDS.toNanos(1);
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(NioPoller.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Selector selector;
  private final WorkerRequests requests;

  /** So that a sleep costs at most one call of the selector, whoever wakes. */
  @SuppressWarnings("unused") // through STATE
  private volatile int state = AWAKE;

  private NioPoller(Selector selector, Workers workers, NioFiles files) {
    this.selector = selector;
    this.requests = new WorkerRequests(workers, files::perform, this::wake);
  }

  /**
   * A poller with a selector of its own.
   *
   * @param workers run the file requests; not closed with the poller
   * @param files whose descriptors the requests name
   */
  static NioPoller open(Workers workers, NioFiles files) {
    try {
      return new NioPoller(Selector.open(), workers, files);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void submit(IoRequest request) {
    requests.submit(request);
  }

  @Override
  public void cancel(IoRequest request) {
    requests.cancel(request);
  }

  /** Descriptors that could be ready exist only where the kernel is asked for them. */
  @Override
  public void update(FdWatch watch) {
    Check.state(watch.interest() == 0, "a loop without native calls cannot watch descriptors");
  }

  @Override
  public void poll(long timeoutNanos) {
    if (timeoutNanos != 0 && !requests.hasCompletions() && fallAsleep()) {
      // A worker that finished before the loop fell asleep has found it awake.
      if (!requests.hasCompletions()) {
        sleep(timeoutNanos);
      }
    }
    state = AWAKE;
    requests.completeAll();
  }

  private boolean fallAsleep() {
    return STATE.compareAndSet(this, AWAKE, ASLEEP);
  }

  private void sleep(long timeoutNanos) {
    try {
      // A wake-up left over from an earlier sleep ends this one early, which does no harm.
      selector.select(timeoutNanos == FOREVER ? 0 : (timeoutNanos - 1) / NANOS_PER_MILLI + 1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @AnyThread
  @Override
  public void wake() {
    if ((int) STATE.getAndSet(this, WOKEN) == ASLEEP) {
      selector.wakeup();
    }
  }

  @Override
  public int inFlight() {
    return requests.inFlight();
  }

  @Override
  public void close() {
    try {
      selector.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
