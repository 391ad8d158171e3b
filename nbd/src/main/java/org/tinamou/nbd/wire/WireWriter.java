package org.tinamou.nbd.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;

/**
 * What is sent to a peer, collected in a buffer until it is full or flushed. Used by one coroutine
 * at a time.
 */
public final class WireWriter {
  private StreamSocket socket;
  private final MemorySegment buffer;
  private long position;

  /**
   * A writer.
   *
   * @param buffer the caller's, and the writer's alone until it is not used any more
   */
  public WireWriter(StreamSocket socket, MemorySegment buffer) {
    this.socket = socket;
    this.buffer = buffer;
  }

  /** Goes on with another stream; what was collected has been flushed. */
  public void switchTo(StreamSocket other) {
    Check.state(position == 0, "%s bytes are left", position);
    socket = other;
  }

  /** Bytes collected. */
  public long pending() {
    return position;
  }

  /** Room for so many bytes in one piece, which the caller fills; at most the buffer's size. */
  @InCoroutine
  public MemorySegment claim(int bytes) throws SessionEnded {
    if (position + bytes > buffer.byteSize()) {
      flush();
    }
    MemorySegment room = buffer.asSlice(position, bytes);
    position += bytes;
    return room;
  }

  @InCoroutine
  public WireWriter putShort(int value) throws SessionEnded {
    claim(2).set(Bytes.SHORT, 0, (short) value);
    return this;
  }

  @InCoroutine
  public WireWriter putInt(int value) throws SessionEnded {
    claim(4).set(Bytes.INT, 0, value);
    return this;
  }

  @InCoroutine
  public WireWriter putLong(long value) throws SessionEnded {
    claim(8).set(Bytes.LONG, 0, value);
    return this;
  }

  @InCoroutine
  public WireWriter putBytes(byte[] bytes) throws SessionEnded {
    for (int done = 0; done < bytes.length; ) {
      int piece = (int) Math.min(bytes.length - done, buffer.byteSize());
      MemorySegment.copy(bytes, done, claim(piece), ValueLayout.JAVA_BYTE, 0, piece);
      done += piece;
    }
    return this;
  }

  /** As UTF-8, behind its length in 32 bits. */
  @InCoroutine
  public WireWriter putText(String text) throws SessionEnded {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return putInt(bytes.length).putBytes(bytes);
  }

  /** Zero bytes. */
  @InCoroutine
  public WireWriter putZeroes(int bytes) throws SessionEnded {
    claim(bytes).fill((byte) 0);
    return this;
  }

  /** Copies data behind what was collected. */
  @InCoroutine
  public void copy(MemorySegment data) throws SessionEnded {
    for (long done = 0; done < data.byteSize(); ) {
      int piece = (int) Math.min(data.byteSize() - done, buffer.byteSize());
      MemorySegment.copy(data, done, claim(piece), 0, piece);
      done += piece;
    }
  }

  /** Sends what was collected and then the data, without copying it. */
  @InCoroutine
  public void send(IoVector data) throws SessionEnded {
    if (position > 0) {
      java.util.List<MemorySegment> all = new java.util.ArrayList<>(data.segments().size() + 1);
      all.add(buffer.asSlice(0, position));
      all.addAll(data.segments());
      position = 0;
      check(socket.write(IoVector.of(all)));
    } else {
      check(socket.write(data));
    }
  }

  /** Sends what was collected. */
  @InCoroutine
  public void flush() throws SessionEnded {
    if (position > 0) {
      MemorySegment filled = buffer.asSlice(0, position);
      position = 0;
      check(socket.write(filled));
    }
  }

  /** Takes leave: nothing more is sent. */
  @InCoroutine
  public void sayEnd() {
    socket.sayEnd();
  }

  private static void check(long result) throws SessionEnded {
    if (result < 0) {
      throw new SessionEnded("Unable to write to socket: " + Errno.ofResult(result).message());
    }
  }
}
