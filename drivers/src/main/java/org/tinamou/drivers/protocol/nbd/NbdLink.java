package org.tinamou.drivers.protocol.nbd;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.RemotePatience;
import org.tinamou.nbd.client.ClientSession;
import org.tinamou.nbd.client.ExportDetails;
import org.tinamou.nbd.client.HandshakeFailed;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.SessionEnded;

/**
 * One connection to a server, made anew when it is lost. Requests that wait for that do so in their
 * own loops; the attempts run in a coroutine beside one of them, which waits for it. So nothing
 * stays behind when all requests have ended, and whoever drains the node only has to make them give
 * up.
 */
final class NbdLink implements RemotePatience.Peer {
  private static final long FIRST_PAUSE_NANOS = 1_000_000_000L;
  private static final long LONGEST_PAUSE_NANOS = 16_000_000_000L;

  private final NbdSettings settings;
  private final ReentrantLock lock = new ReentrantLock();
  private final CoQueue waiting = new CoQueue("NBD server to come back");

  /** All of these under the lock. */
  private @Nullable ClientSession session;

  private @Nullable ExportDetails expected;
  private @Nullable Coroutine connecting;
  private long attempts;
  private long lostNanos = -1;
  private boolean quiesced;
  private boolean closed;

  /** How many have no patience, and how long the session in use has been silent for them. */
  private int impatient;

  private @Nullable ClientSession watched;
  private long seenAnswers;
  private long silentSinceNanos;

  private volatile @Nullable BlockException lastFailure;

  /**
   * A link that is not connected.
   *
   * @param expected what the server has to show, or null if that is to be found out
   */
  NbdLink(NbdSettings settings, @Nullable ExportDetails expected) {
    this.settings = settings;
    this.expected = expected;
  }

  // ------------------------------------------------------------------------------------ opening

  /** Connects for the first time; whoever limits patience meanwhile, or before, ends that. */
  @InCoroutine
  ExportDetails open() throws BlockException {
    AioContext context = Coroutine.current().context();
    AioContext.Forked<ClientSession> attempt = context.fork("NBD connect", this::openInTime);
    lock.lock();
    try {
      connecting = attempt.coroutine();
      if (isUnwanted()) {
        connecting.requestCancel();
      }
    } finally {
      lock.unlock();
    }
    try {
      return opened(attempt.join());
    } catch (BlockException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      cancelAttempt(() -> connecting = null);
    }
  }

  private ExportDetails opened(ClientSession first) {
    lock.lock();
    try {
      session = first;
      expected = first.export();
      return first.export();
    } finally {
      lock.unlock();
    }
  }

  private ClientSession openInTime() throws BlockException {
    Coroutine self = Coroutine.current();
    AioContext context = self.context();
    long start = nowNanos(context);
    long pause = FIRST_PAUSE_NANOS;
    while (true) {
      try {
        return connect(context);
      } catch (BlockException e) {
        long left = settings.openNanos() - (nowNanos(context) - start);
        if (left <= 0 || self.isCancelRequested()) {
          throw e;
        }
        pause(context, self, Math.min(pause, left));
        pause = Math.min(pause * 2, LONGEST_PAUSE_NANOS);
      }
    }
  }

  private static long nowNanos(AioContext context) {
    return context.clocks().nanos(ClockType.REALTIME);
  }

  private ClientSession connect(AioContext context) throws BlockException {
    try {
      StreamSocket socket = context.io().sockets().connect(settings.address());
      return ClientSession.open(
          socket, settings.tls(), settings.export(), settings.contexts(), true);
    } catch (IOException e) {
      throw new BlockException(Errno.ECONNREFUSED, String.valueOf(e.getMessage()));
    } catch (SessionEnded e) {
      throw new BlockException(Errno.EINVAL, e.reason());
    } catch (HandshakeFailed e) {
      BlockException refusal = new BlockException(Errno.EINVAL, String.valueOf(e.getMessage()));
      String hint = e.hint();
      throw hint == null ? refusal : refusal.withHint(hint);
    }
  }

  // ----------------------------------------------------------------------------------- requests

  /** The session in use, or null if it was lost or never made. */
  @AnyThread
  @Nullable ClientSession current() {
    lock.lock();
    try {
      ClientSession now = session;
      return now == null || now.failure() != null ? null : now;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The session in use; if it was lost, that which takes its place, after some time.
   *
   * @throws BlockException if there will be none in time
   */
  @InCoroutine
  ClientSession session() throws BlockException {
    AioContext context = Coroutine.current().context();
    boolean tried = false;
    while (true) {
      long seen;
      Coroutine started = null;
      lock.lock();
      try {
        ClientSession now = session;
        if (now != null && now.failure() == null) {
          return now;
        }
        if (isUnwanted() || (tried && !isWorthWaiting(context))) {
          throw lost();
        }
        noteLoss(context);
        seen = attempts;
        if (connecting == null) {
          started = context.spawn("NBD connect", this::reconnect);
          connecting = started;
        }
      } finally {
        lock.unlock();
      }
      tried = true;
      waiting.awaitUnless(() -> attempts() != seen);
      if (started != null) {
        // What it leaves in this loop counts as the request's.
        started.join();
      }
    }
  }

  private long attempts() {
    lock.lock();
    try {
      return attempts;
    } finally {
      lock.unlock();
    }
  }

  /** Under the lock: whether nobody waits for another session. */
  private boolean isUnwanted() {
    return quiesced || closed || impatient > 0;
  }

  private BlockException lost() {
    BlockException last = lastFailure;
    return last == null ? BlockException.of(Errno.EIO, "NBD connection") : last;
  }

  private void noteLoss(AioContext context) {
    if (lostNanos < 0) {
      lostNanos = nowNanos(context);
    }
  }

  /** Under the lock: whether somebody who has seen an attempt fail should go on waiting. */
  private boolean isWorthWaiting(AioContext context) {
    return lostNanos >= 0 && nowNanos(context) - lostNanos < settings.reconnectNanos();
  }

  /**
   * A session was lost with a request on it.
   *
   * @return whether the request should be tried again on another one
   */
  @InCoroutine
  boolean lost(ClientSession which, SessionEnded why) {
    AioContext context = Coroutine.current().context();
    lock.lock();
    try {
      if (session == which) {
        session = null;
        lostNanos = nowNanos(context);
        lastFailure = new BlockException(Errno.EIO, why.reason());
      }
      return !isUnwanted() && (session != null || isWorthWaiting(context));
    } finally {
      lock.unlock();
    }
  }

  /** Tries to connect until that succeeds or is not worth it any more. */
  private void reconnect() {
    Coroutine self = Coroutine.current();
    AioContext context = self.context();
    long pause = FIRST_PAUSE_NANOS;
    while (true) {
      ClientSession made = null;
      try {
        made = connectAgain(context);
      } catch (BlockException e) {
        lastFailure = new BlockException(Errno.EIO, String.valueOf(e.getMessage()));
      }
      if (settle(context, self, made)) {
        waiting.wakeAll();
        return;
      }
      long left = lostNanos + settings.reconnectNanos() - nowNanos(context);
      pause(context, self, Math.min(pause, left));
      pause = Math.min(pause * 2, LONGEST_PAUSE_NANOS);
    }
  }

  private ClientSession connectAgain(AioContext context) throws BlockException {
    ClientSession made = connect(context);
    ExportDetails before = expected;
    ExportDetails now = made.export();
    if (before != null && !isReplacement(before, now)) {
      made.abort("the export has changed");
      throw new BlockException(Errno.EIO, "the export has changed while the server was away");
    }
    return made;
  }

  /** Whether requests made for one can be sent to the other. */
  private static boolean isReplacement(ExportDetails before, ExportDetails now) {
    return before.sizeBytes() == now.sizeBytes()
        && (before.flags() & ~now.flags() & ~Nbd.READ_ONLY) == 0
        && (before.has(Nbd.READ_ONLY) || !now.has(Nbd.READ_ONLY))
        && now.contexts().keySet().containsAll(before.contexts().keySet());
  }

  /** Takes note of an attempt; true if it was the last. */
  private boolean settle(AioContext context, Coroutine self, @Nullable ClientSession made) {
    boolean unwanted;
    boolean last;
    lock.lock();
    try {
      unwanted = made != null && isUnwanted();
      if (made != null && !unwanted) {
        session = made;
        lostNanos = -1;
      }
      last = made != null || self.isCancelRequested() || isUnwanted() || !isWorthWaiting(context);
      if (last) {
        connecting = null;
        attempts++;
      }
    } finally {
      lock.unlock();
    }
    if (unwanted && made != null) {
      made.abort("the node does not want it any more");
    }
    return last;
  }

  private static void pause(AioContext context, Coroutine self, long nanos) {
    boolean[] over = new boolean[1];
    AioTimer timer =
        context.timer(
            ClockType.REALTIME,
            "NBD reconnect",
            () -> {
              over[0] = true;
              self.wake();
            });
    timer.armIn(Math.max(1, nanos));
    while (!over[0] && !self.isCancelRequested()) {
      Coroutine.suspend("NBD reconnect");
    }
    timer.cancel();
  }

  // ------------------------------------------------------------------------------ rest and end

  /** Nobody waits for the server any more until {@link #unquiesce}. */
  @AnyThread
  void quiesce() {
    cancelAttempt(() -> quiesced = true);
  }

  /** Has the attempt to connect that is under way end, once nobody wants it. */
  private void cancelAttempt(Runnable change) {
    Coroutine attempt;
    lock.lock();
    try {
      change.run();
      attempt = connecting;
    } finally {
      lock.unlock();
    }
    if (attempt != null) {
      attempt.requestCancel();
    }
  }

  @AnyThread
  void unquiesce() {
    lock.lock();
    try {
      quiesced = false;
    } finally {
      lock.unlock();
    }
  }

  /** Nobody waits for a lost server until {@link #restorePatience}; calls nest. */
  @Override
  @HomeThread
  public void limitPatience(long nowNanos) {
    cancelAttempt(
        () -> {
          if (impatient++ == 0) {
            watched = null;
            silentSinceNanos = nowNanos;
          }
        });
  }

  @Override
  @HomeThread
  public void restorePatience() {
    lock.lock();
    try {
      impatient--;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the session in use if it has requests and has answered none of them for so long. */
  @Override
  @HomeThread
  public void dropIfSilent(long nowNanos, long silenceNanos) {
    ClientSession silent = null;
    lock.lock();
    try {
      ClientSession now = session;
      long answers = now == null ? 0 : now.answers();
      if (now == null || now.requests() == 0 || (watched == now && seenAnswers != answers)) {
        silentSinceNanos = nowNanos;
      } else if (nowNanos - silentSinceNanos >= silenceNanos) {
        silent = now;
      }
      watched = now;
      seenAnswers = answers;
    } finally {
      lock.unlock();
    }
    if (silent != null) {
      silent.abort("the server is silent");
    }
  }

  /** Waits for the server no longer, whatever is under way. */
  @Override
  @AnyThread
  public void giveUp() {
    cancelAttempt(() -> closed = true);
    ClientSession last = current();
    if (last != null) {
      last.abort("the server is not waited for any more");
    }
  }

  /** Takes leave of the server. No requests are under way. */
  @InCoroutine
  void close() {
    ClientSession last;
    lock.lock();
    try {
      closed = true;
      last = session;
      session = null;
    } finally {
      lock.unlock();
    }
    if (last != null) {
      last.close();
    }
  }
}
