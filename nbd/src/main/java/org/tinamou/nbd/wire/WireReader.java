package org.tinamou.nbd.wire;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;

/**
 * What a peer sends, through a buffer that collects small messages. Used by one coroutine at a
 * time.
 */
public final class WireReader {
  private static final String CUT = "Unexpected end-of-file before all data were read";

  private StreamSocket socket;
  private final MemorySegment buffer;
  private final @Nullable Deadline deadline;
  private final long partialNanos;
  private long position;
  private long limit;

  /**
   * A reader.
   *
   * @param buffer the caller's, and the reader's alone until it is not used any more
   */
  public WireReader(StreamSocket socket, MemorySegment buffer) {
    this(socket, buffer, null, 0);
  }

  /**
   * A reader that does not wait for ever in the middle of a message.
   *
   * @param partialNanos how long a begun message may take to make progress; 0 for ever
   */
  public WireReader(
      StreamSocket socket, MemorySegment buffer, @Nullable Deadline deadline, long partialNanos) {
    this.socket = socket;
    this.buffer = buffer;
    this.deadline = deadline;
    this.partialNanos = partialNanos;
  }

  /** Bytes that have come and were not taken. */
  public long buffered() {
    return limit - position;
  }

  /**
   * Waits until so many bytes have come, at most what the buffer holds.
   *
   * @return false if the peer has ended the connection before the first of them
   */
  @InCoroutine
  public boolean await(int bytes) throws SessionEnded {
    Check.argument(bytes <= buffer.byteSize(), "a message of %s bytes is too long", bytes);
    if (buffered() >= bytes) {
      return true;
    }
    if (position > 0) {
      MemorySegment.copy(buffer, position, buffer, 0, buffered());
      limit -= position;
      position = 0;
    }
    boolean mine = false;
    try {
      while (limit < bytes) {
        if (limit > 0 && !mine) {
          mine = armPartial();
        }
        long got = read(buffer.asSlice(limit));
        if (got == 0) {
          if (limit == 0) {
            return false;
          }
          throw new SessionEnded(CUT);
        }
        limit += got;
      }
      return true;
    } finally {
      disarm(mine);
    }
  }

  /** As {@link #await}, in the middle of a message: the end of the connection is a failure. */
  @InCoroutine
  public void require(int bytes) throws SessionEnded {
    boolean mine = armPartial();
    try {
      if (!await(bytes)) {
        throw new SessionEnded(CUT);
      }
    } finally {
      disarm(mine);
    }
  }

  private boolean armPartial() {
    if (deadline == null || deadline.isArmed()) {
      return false;
    }
    deadline.arm(partialNanos, "the rest of a message");
    return true;
  }

  private void disarm(boolean mine) {
    if (mine && deadline != null) {
      deadline.disarm();
    }
  }

  private long read(MemorySegment target) throws SessionEnded {
    long got = socket.read(target);
    if (deadline != null && deadline.passed() != null) {
      throw new SessionEnded(deadline.passed());
    }
    if (got < 0) {
      throw failed(got);
    }
    return got;
  }

  private static SessionEnded failed(long result) {
    return new SessionEnded("Unable to read from socket: " + Errno.ofResult(result).message());
  }

  /** The next bytes, which have been waited for; valid until the next wait. */
  public MemorySegment take(int bytes) {
    MemorySegment taken = buffer.asSlice(position, bytes);
    position += bytes;
    return taken;
  }

  /** The next number, without taking it; it has been waited for. */
  public int peekInt() {
    return buffer.get(Bytes.INT, position);
  }

  @InCoroutine
  public int readInt() throws SessionEnded {
    require(4);
    int value = buffer.get(Bytes.INT, position);
    position += 4;
    return value;
  }

  @InCoroutine
  public int readShort() throws SessionEnded {
    require(2);
    int value = buffer.get(Bytes.SHORT, position) & 0xffff;
    position += 2;
    return value;
  }

  @InCoroutine
  public long readLong() throws SessionEnded {
    require(8);
    long value = buffer.get(Bytes.LONG, position);
    position += 8;
    return value;
  }

  /** Fills the segment. */
  @InCoroutine
  public void readFully(MemorySegment target) throws SessionEnded {
    long done = Math.min(buffered(), target.byteSize());
    MemorySegment.copy(buffer, position, target, 0, done);
    position += done;
    if (deadline == null && done < target.byteSize()) {
      long got = socket.readAll(target.asSlice(done));
      if (got < 0) {
        throw failed(got);
      }
      done += got;
      if (done < target.byteSize()) {
        throw new SessionEnded(CUT);
      }
    }
    while (done < target.byteSize()) {
      boolean mine = armPartial();
      try {
        long got = read(target.asSlice(done));
        if (got == 0) {
          throw new SessionEnded(CUT);
        }
        done += got;
      } finally {
        disarm(mine);
      }
    }
  }

  /** Fills the vector's segments in order. */
  @InCoroutine
  public void readFully(IoVector target) throws SessionEnded {
    for (MemorySegment each : target.segments()) {
      readFully(each);
    }
  }

  /** Bytes as an array. */
  @InCoroutine
  public byte[] readBytes(int bytes) throws SessionEnded {
    byte[] all = new byte[bytes];
    MemorySegment target = MemorySegment.ofArray(all);
    for (int done = 0; done < bytes; ) {
      if (buffered() == 0) {
        require(1);
      }
      int piece = (int) Math.min(buffered(), bytes - done);
      MemorySegment.copy(buffer, position, target, done, piece);
      position += piece;
      done += piece;
    }
    return all;
  }

  /** Throws bytes away. */
  @InCoroutine
  public void skip(long bytes) throws SessionEnded {
    for (long left = bytes; left > 0; ) {
      if (buffered() == 0) {
        require(1);
      }
      long piece = Math.min(buffered(), left);
      position += piece;
      left -= piece;
    }
  }

  /** Goes on with another stream, once nothing of this one is left that counts. */
  public void switchTo(StreamSocket other) {
    Check.state(buffered() == 0, "%s bytes are left", buffered());
    socket = other;
  }

  /** Forgets what has come: it was sent before the peer could know that it counts. */
  public void discardBuffered() {
    position = 0;
    limit = 0;
  }
}
