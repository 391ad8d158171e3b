package org.tinamou.nbd.client;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.nbd.wire.Bytes;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.Request;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireReader;
import org.tinamou.nbd.wire.WireWriter;

/**
 * A connection to a server after the handshake. Requests come from coroutines of any loops, many at
 * a time; buffers stay the caller's.
 *
 * <p>One of those that wait for replies reads them, for all; when it has its own it lets another
 * one go on with that. So a session without requests has no coroutine anywhere.
 *
 * <p>Failures that the server tells are an {@link ErrnoException}; after a {@link SessionEnded}
 * nobody knows whether the request was done.
 */
public final class ClientSession {
  private static final int BUFFER_BYTES = 64 << 10;
  private static final int STATUS_PAYLOAD_BYTES = 12;

  private final StreamSocket socket;
  private final ExportDetails export;
  private final ReplyReader replies;
  private final WireWriter out;
  private final CoMutex sending = new CoMutex("NBD requests");
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Long, Pending> pending = new LinkedHashMap<>();
  private long lastCookie;
  private boolean reading;
  private int senders;
  private boolean socketClosed;
  private volatile @Nullable SessionEnded failure;

  private final AtomicLong answers = new AtomicLong();

  private ClientSession(StreamSocket socket, WireReader in, WireWriter out, ExportDetails export) {
    this.socket = socket;
    this.out = out;
    this.export = export;
    this.replies = new ReplyReader(in, export, this::find);
  }

  /**
   * Shakes hands on a connection, which belongs to the session from then on, and is closed if this
   * fails.
   *
   * @param contexts what block status is to tell of
   * @param mayExtend whether long headers may be used
   */
  @InCoroutine
  public static ClientSession open(
      StreamSocket socket, String name, List<String> contexts, boolean mayExtend)
      throws SessionEnded, HandshakeFailed {
    return open(socket, null, name, contexts, mayExtend);
  }

  /**
   * Shakes hands on a connection, as above.
   *
   * @param tls how to encrypt, or null
   */
  @InCoroutine
  public static ClientSession open(
      StreamSocket socket,
      @Nullable ClientTls tls,
      String name,
      List<String> contexts,
      boolean mayExtend)
      throws SessionEnded, HandshakeFailed {
    // Collected with the session: the end of a connection is no time to wait for other threads.
    Arena arena = Arena.ofAuto();
    WireReader in = new WireReader(socket, arena.allocate(BUFFER_BYTES, 64));
    WireWriter out = new WireWriter(socket, arena.allocate(BUFFER_BYTES, 64));
    boolean open = false;
    try {
      ExportDetails export =
          new ClientHandshake(in, out, socket, tls).open(name, contexts, mayExtend);
      open = true;
      return new ClientSession(socket, in, out, export);
    } finally {
      if (!open) {
        socket.close();
      }
    }
  }

  /** What was agreed on. */
  @AnyThread
  public ExportDetails export() {
    return export;
  }

  /** Why the session is of no more use, or null while it is. */
  @AnyThread
  public @Nullable SessionEnded failure() {
    return failure;
  }

  /** How many requests are under way. */
  @AnyThread
  public int requests() {
    lock.lock();
    try {
      return pending.size();
    } finally {
      lock.unlock();
    }
  }

  /** How many replies, or pieces of them, have come. */
  @AnyThread
  public long answers() {
    return answers.get();
  }

  // ----------------------------------------------------------------------------------- requests

  /** Fills the buffer. */
  @InCoroutine
  public void read(long offsetBytes, IoVector buffer) throws SessionEnded, ErrnoException {
    perform(Nbd.CMD_READ, 0, offsetBytes, buffer.sizeBytes(), buffer, -1);
  }

  /** Stores the buffer. */
  @InCoroutine
  public void write(long offsetBytes, IoVector buffer, boolean forceUnitAccess)
      throws SessionEnded, ErrnoException {
    int payload = export.extended() ? Nbd.FLAG_PAYLOAD_LEN : 0;
    int flags = payload | (forceUnitAccess ? Nbd.FLAG_FUA : 0);
    perform(Nbd.CMD_WRITE, flags, offsetBytes, buffer.sizeBytes(), buffer, -1);
  }

  /**
   * A request without data.
   *
   * @param command flush, trim, write zeroes or cache
   * @param flags of the protocol
   */
  @InCoroutine
  public void command(int command, int flags, long offsetBytes, long lengthBytes)
      throws SessionEnded, ErrnoException {
    perform(command, flags, offsetBytes, lengthBytes, IoVector.EMPTY, -1);
  }

  /**
   * What a context says of the first bytes of a range.
   *
   * @param lengthBytes how many bytes, at least 1
   * @param flags the context's
   */
  public record Extent(long lengthBytes, long flags) {}

  /** Asks about a range, and gets to know at least its first bytes. */
  @InCoroutine
  public Extent blockStatus(String context, long offsetBytes, long lengthBytes)
      throws SessionEnded, ErrnoException {
    Integer id = export.contexts().get(context);
    if (id == null) {
      throw new IllegalArgumentException("the context " + context + " was not agreed on");
    }
    // Without the payload the server tells of all contexts.
    boolean choose = export.contexts().size() > 1 && export.has(Nbd.BLOCK_STAT_PAYLOAD);
    IoVector payload = choose ? statusPayload(lengthBytes, id) : IoVector.EMPTY;
    int flags = Nbd.FLAG_REQ_ONE | (choose ? Nbd.FLAG_PAYLOAD_LEN : 0);
    Pending done = perform(Nbd.CMD_BLOCK_STATUS, flags, offsetBytes, lengthBytes, payload, id);
    return new Extent(Math.min(done.extentBytes, lengthBytes), done.extentFlags);
  }

  private static IoVector statusPayload(long lengthBytes, int contextId) {
    MemorySegment payload = Arena.ofAuto().allocate(STATUS_PAYLOAD_BYTES, 8);
    payload.set(Bytes.LONG, 0, lengthBytes);
    payload.set(Bytes.INT, 8, contextId);
    return IoVector.of(payload);
  }

  private Pending perform(
      int command, int flags, long offsetBytes, long lengthBytes, IoVector buffer, int contextId)
      throws SessionEnded, ErrnoException {
    Pending mine = register(command, offsetBytes, lengthBytes, buffer, contextId);
    try {
      boolean payload = command != Nbd.CMD_READ && buffer.sizeBytes() > 0;
      send(
          new Request(
              flags, command, mine.cookie, offsetBytes, payload ? buffer.sizeBytes() : lengthBytes),
          payload ? buffer : IoVector.EMPTY);
      awaitReply(mine);
    } catch (SessionEnded e) {
      fail(e);
      throw e;
    } finally {
      forget(mine);
    }
    if (mine.error != null) {
      throw new ErrnoException(mine.error, String.valueOf(mine.message));
    }
    return mine;
  }

  private Pending register(
      int command, long offsetBytes, long lengthBytes, IoVector buffer, int contextId)
      throws SessionEnded {
    lock.lock();
    try {
      checkUsable();
      senders++;
      Pending mine =
          new Pending(command, ++lastCookie, offsetBytes, lengthBytes, buffer, contextId);
      pending.put(mine.cookie, mine);
      return mine;
    } finally {
      lock.unlock();
    }
  }

  private void forget(Pending mine) {
    boolean last;
    lock.lock();
    try {
      pending.remove(mine.cookie);
      senders--;
      last = failure != null && senders == 0 && !socketClosed;
      socketClosed |= last;
    } finally {
      lock.unlock();
    }
    if (last) {
      socket.close();
    }
  }

  private void checkUsable() throws SessionEnded {
    SessionEnded why = failure;
    if (why != null) {
      throw why;
    }
  }

  private void send(Request request, IoVector payload) throws SessionEnded {
    sending.lock();
    try {
      checkUsable();
      MemorySegment header = out.claim(Request.headerBytes(export.extended()));
      request.write(header, export.extended());
      if (payload.sizeBytes() > 0) {
        out.send(payload);
      } else {
        out.flush();
      }
    } finally {
      sending.unlock();
    }
  }

  // ------------------------------------------------------------------------------------ replies

  private @Nullable Pending find(long cookie) {
    lock.lock();
    try {
      return pending.get(cookie);
    } finally {
      lock.unlock();
    }
  }

  private void awaitReply(Pending mine) throws SessionEnded {
    while (!mine.done) {
      if (becomeReader(mine)) {
        try {
          readFor(mine);
        } finally {
          passReadingOn(mine);
        }
      } else if (!mine.done) {
        checkUsable();
        Coroutine.suspend("NBD reply");
      }
    }
  }

  private boolean becomeReader(Pending mine) {
    lock.lock();
    try {
      boolean mayRead = !reading && !mine.done && failure == null;
      reading |= mayRead;
      mine.waiting = !mayRead;
      return mayRead;
    } finally {
      lock.unlock();
    }
  }

  private void readFor(Pending mine) throws SessionEnded {
    while (!mine.done) {
      Pending finished = replies.readOne();
      answers.incrementAndGet();
      if (finished != null) {
        finished.done = true;
        if (finished != mine) {
          finished.coroutine.wake();
        }
      }
    }
  }

  private void passReadingOn(Pending mine) {
    Pending next = null;
    lock.lock();
    try {
      reading = false;
      for (Pending each : pending.values()) {
        if (each != mine && each.waiting && !each.done) {
          next = each;
          break;
        }
      }
    } finally {
      lock.unlock();
    }
    if (next != null) {
      next.coroutine.wake();
    }
  }

  // ---------------------------------------------------------------------------------- its end

  private void fail(SessionEnded why) {
    List<Pending> waiting;
    lock.lock();
    try {
      if (failure == null) {
        failure = why;
      }
      waiting = List.copyOf(pending.values());
    } finally {
      lock.unlock();
    }
    socket.shutdown();
    for (Pending each : waiting) {
      each.coroutine.wake();
    }
  }

  /** Ends the session now, whatever it is doing; requests under way fail. */
  @AnyThread
  public void abort(String reason) {
    fail(new SessionEnded(reason));
    closeIfUnused();
  }

  /** Takes leave of the server and ends the session. No requests are under way. */
  @InCoroutine
  public void close() {
    try {
      send(new Request(0, Nbd.CMD_DISC, 0, 0, 0), IoVector.EMPTY);
      out.sayEnd();
    } catch (SessionEnded gone) {
      fail(gone);
    }
    abort("the session was closed");
  }

  private void closeIfUnused() {
    boolean last;
    lock.lock();
    try {
      last = senders == 0 && !socketClosed;
      socketClosed |= last;
    } finally {
      lock.unlock();
    }
    if (last) {
      socket.close();
    }
  }
}
