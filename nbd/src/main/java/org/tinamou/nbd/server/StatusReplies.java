package org.tinamou.nbd.server;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.nbd.server.Negotiated.ActiveContext;
import org.tinamou.nbd.wire.Bytes;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.NbdErrno;
import org.tinamou.nbd.wire.Request;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireReader;

/** Replies about what there is: one chunk for each context. */
final class StatusReplies {
  private static final int BUFFER_BYTES = 64 << 10;
  private static final long MAX_COMPACT_BYTES = 0xffff_ffffL & -4096L;

  private final Negotiated session;
  private final ReplyWriter replies;

  /** The contexts that requests under way have asked for in their payload, by cookie. */
  private final Map<Request, List<ActiveContext>> chosen = new HashMap<>();

  StatusReplies(Negotiated session, ReplyWriter replies) {
    this.session = session;
    this.replies = replies;
  }

  /**
   * Reads a payload: how far the request reaches, and for which contexts.
   *
   * @return the request without its payload, or null if it makes no sense
   */
  @InCoroutine
  @Nullable Request readPayload(Request request, WireReader in) throws SessionEnded {
    long length = request.lengthBytes();
    if (length < 8 || length > 8 + 4L * session.contexts().size() || length % 4 != 0) {
      in.skip(length);
      return null;
    }
    ByteBuffer payload = ByteBuffer.wrap(in.readBytes((int) length));
    long effect = payload.getLong();
    List<ActiveContext> wanted = new ArrayList<>();
    while (payload.hasRemaining()) {
      int id = payload.getInt();
      for (ActiveContext each : session.contexts()) {
        if (each.id() == id && !wanted.contains(each)) {
          wanted.add(each);
        }
      }
    }
    long size = session.export().sizeBytes();
    long offset = request.offsetBytes();
    if (wanted.size() != (length - 8) / 4
        || wanted.isEmpty()
        || offset < 0
        || offset > size
        || effect <= 0
        || effect > size - offset) {
      return null;
    }
    Request narrowed =
        new Request(request.flags(), request.command(), request.cookie(), offset, effect);
    chosen.put(narrowed, wanted);
    return narrowed;
  }

  @InCoroutine
  void perform(Request request, boolean alone) throws SessionEnded {
    List<ActiveContext> wanted = chosen.remove(request);
    if (wanted == null) {
      wanted = session.contexts();
    }
    TransferMemory memory = TransferMemory.take(BUFFER_BYTES);
    try {
      for (int i = 0; i < wanted.size(); i++) {
        boolean last = i == wanted.size() - 1;
        if (!context(request, wanted.get(i), memory.segment(), last, alone)) {
          return;
        }
      }
    } finally {
      memory.release();
    }
  }

  private boolean context(
      Request request, ActiveContext context, MemorySegment buffer, boolean last, boolean alone)
      throws SessionEnded {
    boolean extended = session.extended();
    ExtentList list =
        new ExtentList(
            buffer, extended, request.lengthBytes(), request.has(Nbd.FLAG_REQ_ONE), context.id());
    ErrnoException failed = null;
    try {
      session
          .export()
          .extents(context.name(), request.offsetBytes(), request.lengthBytes(), list::add);
    } catch (ErrnoException e) {
      failed = e;
    }
    replies.begin();
    try {
      if (failed != null) {
        replies.failure(
            request.cookie(),
            request.offsetBytes(),
            NbdErrno.toWire(failed.errno()),
            "unable to get block status");
        return false;
      }
      IoVector payload = list.finished();
      replies.chunk(
          request.cookie(),
          last ? Nbd.CHUNK_DONE : 0,
          extended ? Nbd.CHUNK_BLOCK_STATUS_EXT : Nbd.CHUNK_BLOCK_STATUS,
          request.offsetBytes(),
          payload.sizeBytes());
      replies.data(payload);
      return true;
    } finally {
      replies.finish((last || failed != null) && alone);
    }
  }

  /** Extents as they are sent; neighbours of the same kind are one. */
  private static final class ExtentList {
    private final MemorySegment buffer;
    private final boolean extended;
    private final boolean one;
    private final int entryBytes;
    private final long wantedBytes;
    private long position;
    private long covered;
    private long pendingBytes;
    private long pendingFlags;
    private int count;

    ExtentList(
        MemorySegment buffer, boolean extended, long wantedBytes, boolean one, int contextId) {
      this.buffer = buffer;
      this.extended = extended;
      this.wantedBytes = wantedBytes;
      this.one = one;
      this.entryBytes = extended ? 16 : 8;
      this.position = extended ? 8 : 4;
      buffer.set(Bytes.INT, 0, contextId);
    }

    boolean add(long lengthBytes, long flags) {
      long length = one ? Math.min(lengthBytes, wantedBytes - covered) : lengthBytes;
      if (pendingBytes > 0 && pendingFlags == flags) {
        pendingBytes += length;
      } else {
        if (pendingBytes > 0 && !put()) {
          return false;
        }
        if (one && count == 1) {
          return false;
        }
        pendingBytes = length;
        pendingFlags = flags;
      }
      covered += length;
      return covered < wantedBytes;
    }

    /** False if nothing more fits behind it. */
    private boolean put() {
      long left = pendingBytes;
      do {
        long length = extended ? left : Math.min(left, MAX_COMPACT_BYTES);
        if (extended) {
          buffer.set(Bytes.LONG, position, length);
          buffer.set(Bytes.LONG, position + 8, pendingFlags);
        } else {
          buffer.set(Bytes.INT, position, (int) length);
          buffer.set(Bytes.INT, position + 4, (int) pendingFlags);
        }
        position += entryBytes;
        count++;
        left -= length;
      } while (left > 0 && !one && position + 2L * entryBytes <= buffer.byteSize());
      pendingBytes = 0;
      return left == 0 && position + 2L * entryBytes <= buffer.byteSize();
    }

    IoVector finished() {
      if (pendingBytes > 0 && !(one && count == 1)) {
        put();
      }
      if (count == 0) {
        // Whoever was asked knows nothing: it is data then.
        pendingBytes = wantedBytes;
        pendingFlags = 0;
        put();
      }
      if (extended) {
        buffer.set(Bytes.INT, 4, count);
      }
      return IoVector.of(buffer.asSlice(0, position));
    }
  }
}
