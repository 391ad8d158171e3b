package org.tinamou.nbd.server;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.BottomHalf;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.Parsed;
import org.tinamou.nbd.wire.Bytes;
import org.tinamou.nbd.wire.Deadline;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.NbdErrno;
import org.tinamou.nbd.wire.Request;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireReader;
import org.tinamou.nbd.wire.WireWriter;

/**
 * A connection after its handshake: requests are read one after the other and run side by side,
 * each in a coroutine.
 */
final class ServerSession {
  private static final int MAX_REQUESTS = 128;

  private final AioContext home;
  private final Deadline deadline;
  private final Negotiated session;
  private final NbdExport export;
  private final WireReader in;
  private final MemoryBudget.Share memory;
  private final Runnable abort;
  private final ReplyWriter replies;
  private final Reads reads;
  private final StatusReplies statuses;
  private final int headerBytes;
  private final Coroutine.Body receiving = this::receive;
  private @Nullable Coroutine main;
  private @Nullable Coroutine receiver;
  private boolean receives;

  /** The receiver while it does something that may make it wait. */
  private @Nullable Coroutine busyReceiver;

  /** Runs {@link #handOver} in the present loop. */
  private @Nullable BottomHalf handOver;

  /** The last request that the receiver did itself has made it wait. */
  private boolean requestsWait;

  private int inFlight;
  private @Nullable SessionEnded failure;

  /** Where all of the session runs now. */
  private volatile AioContext loop;

  /** The receiver waits for the next request, of which it may have a part. */
  private boolean betweenRequests;

  /** The export is in another loop: the session follows when its last request has ended. */
  private boolean following;

  /**
   * A session.
   *
   * @param home the server's loop, where the session begins and ends
   * @param abort ends the connection, so that the receiver learns of it
   */
  ServerSession(
      AioContext home,
      Negotiated session,
      WireReader in,
      WireWriter out,
      Deadline deadline,
      MemoryBudget.Share memory,
      Runnable abort) {
    this.home = home;
    this.loop = home;
    this.deadline = deadline;
    this.session = session;
    this.export = session.export();
    this.in = in;
    this.memory = memory;
    this.abort = abort;
    this.replies = new ReplyWriter(out, session.structured(), session.extended());
    this.reads = new Reads(export, session.structured(), replies, memory);
    this.statuses = new StatusReplies(session, replies);
    this.headerBytes = Request.headerBytes(session.extended());
  }

  /**
   * Serves requests, in the export's loop, until the client is done or gone, and all of them have
   * ended.
   */
  @InCoroutine
  void run() throws SessionEnded {
    main = Coroutine.current();
    try {
      do {
        goTo(exportLoop());
      } while (serveHere());
    } finally {
      goTo(home);
    }
    SessionEnded first = failure;
    if (first != null) {
      throw first;
    }
  }

  private AioContext exportLoop() {
    AioContext wanted = export.context();
    return wanted == null ? home : wanted;
  }

  private void goTo(AioContext target) {
    if (loop != target) {
      Coroutine.moveTo(target);
      loop = target;
      deadline.moveTo(target);
    }
  }

  /** Serves requests in the present loop. True if the session has to go to another one. */
  private boolean serveHere() {
    following = false;
    requestsWait = false;
    replies.restart();
    BottomHalf waits = loop.bottomHalf("NBD receiver waits", this::handOver);
    handOver = waits;
    Coroutine flusher = loop.spawn("NBD replies", this::flush);
    receives = true;
    loop.spawn("NBD requests", receiving);
    while (receives || inFlight > 0) {
      Coroutine.suspend("NBD session");
    }
    waits.delete();
    replies.end();
    flusher.join();
    return following && failure == null;
  }

  /** The export may have gone to another loop. */
  @AnyThread
  void exportMoved() {
    AioContext here = loop;
    here.scheduleOnce("NBD session moves", () -> follow(here));
  }

  private void follow(AioContext where) {
    Coroutine waiting = receiver;
    if (where == loop && where != exportLoop() && receives && !following) {
      following = true;
      if (betweenRequests && waiting != null) {
        waiting.requestCancel();
      }
    }
  }

  private void flush() {
    try {
      replies.runFlusher();
    } catch (SessionEnded e) {
      fail(e);
    }
  }

  private void fail(SessionEnded why) {
    if (failure == null) {
      failure = why;
      abort.run();
    }
  }

  /**
   * Receives requests until one is the last that has come: then another coroutine goes on with
   * receiving, while this one does what is asked.
   */
  private void receive() {
    receiver = Coroutine.current();
    boolean handedOver = false;
    try {
      handedOver = receiveSome();
    } catch (SessionEnded e) {
      fail(e);
    } finally {
      if (!handedOver) {
        receives = false;
        wakeMain();
      }
    }
  }

  private void wakeMain() {
    Coroutine waiting = main;
    if (waiting != null) {
      waiting.wake();
    }
  }

  /** True if another coroutine receives now. */
  private boolean receiveSome() throws SessionEnded {
    while (failure == null) {
      if (in.buffered() < headerBytes && replies.isFlushHeld() && !flushHere()) {
        return true;
      }
      if (!awaitRequest()) {
        return false;
      }
      MemorySegment header = in.take(headerBytes);
      switch (Request.parse(header, session.extended())) {
        case Parsed.Malformed<Request> malformed -> {
          long cookie = header.get(Bytes.LONG, 8);
          refuse(new Request(0, 0, cookie, 0, 0), Errno.EINVAL, malformed.message());
          throw new SessionEnded(malformed.message());
        }
        case Parsed.Value<Request>(Request request) -> {
          if (request.command() == Nbd.CMD_DISC) {
            return false;
          }
          if (receive(request)) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /** False if the client is done, or the session goes elsewhere to receive what it asks. */
  private boolean awaitRequest() throws SessionEnded {
    if (following) {
      return false;
    }
    betweenRequests = true;
    try {
      return in.await(headerBytes) && !following;
    } catch (SessionEnded e) {
      if (following) {
        return false;
      }
      throw e;
    } finally {
      betweenRequests = false;
    }
  }

  private boolean receive(Request request) throws SessionEnded {
    boolean write = request.command() == Nbd.CMD_WRITE;
    boolean payload = write || (session.extended() && request.has(Nbd.FLAG_PAYLOAD_LEN));
    RequestCheck.Refusal refusal = RequestCheck.of(request, session);
    if (refusal == null && write && session.extended() && !request.has(Nbd.FLAG_PAYLOAD_LEN)) {
      refusal = new RequestCheck.Refusal(Errno.EINVAL, "missing flag for payload length");
    }
    if (refusal != null) {
      boolean tooLong = request.lengthBytes() < 0 || request.lengthBytes() > Nbd.MAX_TRANSFER_BYTES;
      if (payload && !tooLong) {
        in.skip(request.lengthBytes());
      }
      refuse(request, refusal.errno(), refusal.message());
      if (payload && tooLong) {
        // What follows cannot be told from further requests.
        throw new SessionEnded(refusal.message());
      }
      return false;
    }
    awaitRequests(MAX_REQUESTS - 1);
    if (write) {
      return receiveWrite(request);
    }
    if (!payload) {
      return start(request, null);
    }
    Request narrowed = statuses.readPayload(request, in);
    if (narrowed != null) {
      return start(narrowed, null);
    }
    refuse(request, Errno.EINVAL, "invalid payload of block status");
    return false;
  }

  private boolean receiveWrite(Request request) throws SessionEnded {
    long length = request.lengthBytes();
    if (!memory.tryReserve(length)) {
      writeInPieces(request);
      return false;
    }
    TransferMemory data = TransferMemory.take(length);
    try {
      in.readFully(data.vector());
    } catch (SessionEnded e) {
      data.release();
      memory.release(length);
      throw e;
    }
    return start(request, data);
  }

  /** There is not memory enough to take it all at once. */
  private void writeInPieces(Request request) throws SessionEnded {
    inFlight++;
    long length = request.lengthBytes();
    ErrnoException failed = null;
    try {
      for (long done = 0; done < length; ) {
        long piece = Math.min(length - done, MemoryBudget.OWN_BYTES);
        memory.reserve(piece);
        TransferMemory data = TransferMemory.take(piece);
        try {
          in.readFully(data.vector());
          if (failed == null) {
            export.write(request.offsetBytes() + done, data.vector(), request.has(Nbd.FLAG_FUA));
          }
        } catch (ErrnoException e) {
          failed = e;
        } finally {
          data.release();
          memory.release(piece);
        }
        done += piece;
      }
      answer(request, failed, "writing to file failed");
    } finally {
      requestEnded();
    }
  }

  /**
   * Does what is asked in this coroutine, which then goes on receiving unless it had to wait: then
   * another one receives. Where requests have to wait, each gets a coroutine of its own at once, so
   * that they wait together.
   *
   * @return whether another coroutine receives now
   */
  private boolean start(Request request, @Nullable TransferMemory data) {
    inFlight++;
    if (requestsWait && in.buffered() >= headerBytes) {
      loop.spawn("NBD request", () -> perform(request, data));
      return false;
    }
    startHere();
    perform(request, data);
    return !endHere();
  }

  /** What this coroutine does now may make it wait: whoever is to receive then is seen to. */
  private void startHere() {
    busyReceiver = receiver;
    replies.hold();
    java.util.Objects.requireNonNull(handOver).schedule();
  }

  /** Whether this coroutine still is the one that receives. */
  private boolean endHere() {
    if (busyReceiver != Coroutine.current()) {
      return false;
    }
    busyReceiver = null;
    requestsWait = false;
    return true;
  }

  private boolean flushHere() {
    startHere();
    try {
      replies.flushHeld();
    } catch (SessionEnded e) {
      fail(e);
    }
    return endHere();
  }

  /** Runs when the receiver has come to a wait, or a little later. */
  private void handOver() {
    if (busyReceiver != null) {
      busyReceiver = null;
      requestsWait = true;
      loop.spawn("NBD requests", receiving);
    }
    replies.release();
  }

  private void perform(Request request, @Nullable TransferMemory data) {
    boolean orderly = false;
    try {
      perform(request, data, request.has(Nbd.FLAG_FUA));
      orderly = true;
    } catch (SessionEnded e) {
      fail(e);
      orderly = true;
    } finally {
      if (!orderly) {
        fail(new SessionEnded("a request has failed unexpectedly"));
      }
      requestEnded();
    }
  }

  private void perform(Request request, @Nullable TransferMemory data, boolean fua)
      throws SessionEnded {
    long offset = request.offsetBytes();
    long length = request.lengthBytes();
    switch (request.command()) {
      case Nbd.CMD_READ -> reads.perform(request, isLast());
      case Nbd.CMD_BLOCK_STATUS -> statuses.perform(request, isLast());
      case Nbd.CMD_WRITE -> {
        TransferMemory written = java.util.Objects.requireNonNull(data);
        ErrnoException failed;
        try {
          failed = attempt(() -> export.write(offset, written.vector(), fua));
        } finally {
          written.release();
          memory.release(length);
        }
        answer(request, failed, "writing to file failed");
      }
      case Nbd.CMD_FLUSH -> answer(request, attempt(export::flush), "flush failed");
      case Nbd.CMD_TRIM ->
          answer(request, attempt(() -> export.trim(offset, length, fua)), "discard failed");
      case Nbd.CMD_CACHE ->
          answer(request, attempt(() -> export.cache(offset, length)), "caching data failed");
      case Nbd.CMD_WRITE_ZEROES ->
          answer(
              request,
              attempt(
                  () ->
                      export.writeZeroes(
                          offset,
                          length,
                          !request.has(Nbd.FLAG_NO_HOLE),
                          request.has(Nbd.FLAG_FAST_ZERO),
                          fua)),
              "writing to file failed");
      default -> throw new IllegalStateException("command " + request.command());
    }
  }

  /** Whether no other request is there whose reply could go with this one. */
  private boolean isLast() {
    return inFlight == 1 && in.buffered() < headerBytes;
  }

  /** Something that may fail. */
  private interface Action {
    void run() throws ErrnoException;
  }

  private static @Nullable ErrnoException attempt(Action action) {
    try {
      action.run();
      return null;
    } catch (ErrnoException e) {
      return e;
    }
  }

  private void answer(Request request, @Nullable ErrnoException failed, String doing)
      throws SessionEnded {
    if (failed != null) {
      refuse(request, failed.errno(), doing);
      return;
    }
    replies.begin();
    boolean good = false;
    try {
      replies.success(request.cookie(), request.offsetBytes());
      good = true;
    } finally {
      replies.finish(good && isLast());
    }
  }

  private void refuse(Request request, Errno errno, String message) throws SessionEnded {
    replies.begin();
    try {
      replies.failure(request.cookie(), request.offsetBytes(), NbdErrno.toWire(errno), message);
    } finally {
      replies.finish(inFlight <= 1 && in.buffered() < headerBytes);
    }
  }

  private void requestEnded() {
    inFlight--;
    if (inFlight == 0) {
      wakeMain();
    }
    Coroutine waiting = receiver;
    if (waiting != null && inFlight == MAX_REQUESTS - 1) {
      waiting.wake();
    }
  }

  private void awaitRequests(int atMost) {
    while (inFlight > atMost) {
      Coroutine.suspend("NBD requests");
    }
  }
}
