package org.tinamou.nbd.server;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.nbd.wire.Bytes;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireWriter;

/**
 * Replies of one connection. Small ones are collected, and sent together by a coroutine of its own
 * as soon as the loop has nothing else to do for it.
 */
final class ReplyWriter {
  /**
   * Data up to this length is copied behind its header: cheaper than to send it from where it is.
   */
  private static final int COPIED_BYTES = 16 << 10;

  private final WireWriter out;
  private final boolean structured;
  private final boolean extended;
  private final CoMutex mutex = new CoMutex("NBD replies");
  private boolean flushWanted;
  private boolean held;
  private boolean ended;
  private @org.jspecify.annotations.Nullable Coroutine flusher;

  ReplyWriter(WireWriter out, boolean structured, boolean extended) {
    this.out = out;
    this.structured = structured;
    this.extended = extended;
  }

  /** Sends what is collected whenever somebody wants it, until {@link #end}. */
  @InCoroutine
  void runFlusher() throws SessionEnded {
    flusher = Coroutine.current();
    while (true) {
      while (!flushWanted && !ended) {
        Coroutine.suspend("NBD replies");
      }
      flushWanted = false;
      mutex.lock();
      try {
        out.flush();
      } finally {
        mutex.unlock();
      }
      if (ended) {
        return;
      }
    }
  }

  /** For another flusher, after the first has ended. */
  void restart() {
    ended = false;
    held = false;
    flushWanted = false;
  }

  /** Lets the flusher come to its end, after a last flush. */
  void end() {
    ended = true;
    Coroutine waiting = flusher;
    if (waiting != null) {
      waiting.wake();
    }
  }

  /** Nobody else replies until {@link #finish}. */
  @InCoroutine
  void begin() {
    mutex.lock();
  }

  /**
   * Lets others reply.
   *
   * @param now whether what is collected is to be sent at once
   */
  @InCoroutine
  void finish(boolean now) throws SessionEnded {
    try {
      if (now) {
        out.flush();
      }
    } finally {
      mutex.unlock();
    }
    if (!now && !flushWanted) {
      flushWanted = true;
      wakeFlusher();
    }
  }

  private void wakeFlusher() {
    Coroutine waiting = flusher;
    if (waiting != null && !held) {
      waiting.wake();
    }
  }

  /** What is collected is not sent before {@link #flushHeld} or {@link #release}. */
  void hold() {
    held = true;
  }

  /** Whether something is collected that nobody will send yet. */
  boolean isFlushHeld() {
    return held && flushWanted;
  }

  /** Sends what was held back. */
  @InCoroutine
  void flushHeld() throws SessionEnded {
    mutex.lock();
    try {
      flushWanted = false;
      out.flush();
    } finally {
      mutex.unlock();
    }
  }

  /** What is collected is sent soon from now on. */
  void release() {
    held = false;
    if (flushWanted) {
      wakeFlusher();
    }
  }

  /** The reply of a request without data. Between begin and finish, as all that follow. */
  @InCoroutine
  void success(long cookie, long offsetBytes) throws SessionEnded {
    if (extended) {
      chunk(cookie, Nbd.CHUNK_DONE, Nbd.CHUNK_NONE, offsetBytes, 0);
    } else {
      simple(cookie, 0);
    }
  }

  /** The reply of a failed request. */
  @InCoroutine
  void failure(long cookie, long offsetBytes, int error, String message) throws SessionEnded {
    if (!structured) {
      simple(cookie, error);
      return;
    }
    byte[] text = message.getBytes(StandardCharsets.UTF_8);
    if (text.length > Nbd.MAX_STRING_BYTES) {
      text = Arrays.copyOf(text, Nbd.MAX_STRING_BYTES);
    }
    chunk(cookie, Nbd.CHUNK_DONE, Nbd.CHUNK_ERROR, offsetBytes, 6 + text.length);
    out.putInt(error).putShort(text.length).putBytes(text);
  }

  /** The header of a reply whose data follows by {@link #data}, if it is a read's. */
  @InCoroutine
  void simple(long cookie, int error) throws SessionEnded {
    MemorySegment header = out.claim(Nbd.SIMPLE_REPLY_BYTES);
    header.set(Bytes.INT, 0, Nbd.SIMPLE_REPLY_MAGIC);
    header.set(Bytes.INT, 4, error);
    header.set(Bytes.LONG, 8, cookie);
  }

  /** The header of a part of a reply. */
  @InCoroutine
  void chunk(long cookie, int flags, int type, long offsetBytes, long lengthBytes)
      throws SessionEnded {
    MemorySegment header =
        out.claim(extended ? Nbd.EXTENDED_REPLY_BYTES : Nbd.STRUCTURED_REPLY_BYTES);
    header.set(Bytes.INT, 0, extended ? Nbd.EXTENDED_REPLY_MAGIC : Nbd.STRUCTURED_REPLY_MAGIC);
    header.set(Bytes.SHORT, 4, (short) flags);
    header.set(Bytes.SHORT, 6, (short) type);
    header.set(Bytes.LONG, 8, cookie);
    if (extended) {
      header.set(Bytes.LONG, 16, offsetBytes);
      header.set(Bytes.LONG, 24, lengthBytes);
    } else {
      header.set(Bytes.INT, 16, (int) lengthBytes);
    }
  }

  /** A hole where data was asked for. */
  @InCoroutine
  void hole(long cookie, int flags, long requestOffset, long offsetBytes, long lengthBytes)
      throws SessionEnded {
    chunk(cookie, flags, Nbd.CHUNK_OFFSET_HOLE, requestOffset, 12);
    out.putLong(offsetBytes).putInt((int) lengthBytes);
  }

  /** The head of a chunk of data, which follows by {@link #data}. */
  @InCoroutine
  void dataHead(long cookie, int flags, long requestOffset, long offsetBytes, long lengthBytes)
      throws SessionEnded {
    chunk(cookie, flags, Nbd.CHUNK_OFFSET_DATA, requestOffset, 8 + lengthBytes);
    out.putLong(offsetBytes);
  }

  /** Data; the buffer may be used for something else afterwards. */
  @InCoroutine
  void data(IoVector data) throws SessionEnded {
    if (data.sizeBytes() <= COPIED_BYTES) {
      for (MemorySegment each : data.segments()) {
        out.copy(each);
      }
    } else {
      out.send(data);
    }
  }
}
