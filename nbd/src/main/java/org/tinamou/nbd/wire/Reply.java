package org.tinamou.nbd.wire;

import java.lang.foreign.MemorySegment;
import org.tinamou.base.Parsed;

/** The header of a reply or of a part of one. */
public sealed interface Reply {
  /** The request it belongs to. */
  long cookie();

  /**
   * A whole reply; data follows if the request asked for some and there is no error.
   *
   * @param error 0, or a number of {@link NbdErrno}
   */
  record Simple(int error, long cookie) implements Reply {}

  /**
   * One part of a structured reply.
   *
   * @param type one of the CHUNK constants, or something unknown
   * @param lengthBytes of the payload that follows
   */
  record Chunk(int flags, int type, long cookie, long offsetBytes, long lengthBytes)
      implements Reply {
    public boolean isDone() {
      return (flags & Nbd.CHUNK_DONE) != 0;
    }

    public boolean isError() {
      return (type & Nbd.CHUNK_ERROR_BIT) != 0;
    }
  }

  /** How many bytes belong to a header that begins with {@code magic}, or -1 if none does so. */
  static int headerBytes(int magic) {
    return switch (magic) {
      case Nbd.SIMPLE_REPLY_MAGIC -> Nbd.SIMPLE_REPLY_BYTES;
      case Nbd.STRUCTURED_REPLY_MAGIC -> Nbd.STRUCTURED_REPLY_BYTES;
      case Nbd.EXTENDED_REPLY_MAGIC -> Nbd.EXTENDED_REPLY_BYTES;
      default -> -1;
    };
  }

  /**
   * Reads a header of {@link #headerBytes} bytes.
   *
   * @param structured whether chunks were negotiated
   * @param extended whether they have the long form
   */
  static Parsed<Reply> parse(MemorySegment header, boolean structured, boolean extended) {
    int magic = header.get(Bytes.INT, 0);
    if (magic == Nbd.SIMPLE_REPLY_MAGIC && !extended) {
      return new Parsed.Value<>(new Simple(header.get(Bytes.INT, 4), header.get(Bytes.LONG, 8)));
    }
    int expected = extended ? Nbd.EXTENDED_REPLY_MAGIC : Nbd.STRUCTURED_REPLY_MAGIC;
    if (magic != expected || !structured) {
      return new Parsed.Malformed<>("magic", "invalid magic (got 0x%x)".formatted(magic));
    }
    int flags = header.get(Bytes.SHORT, 4) & 0xffff;
    int type = header.get(Bytes.SHORT, 6) & 0xffff;
    long cookie = header.get(Bytes.LONG, 8);
    return new Parsed.Value<>(
        extended
            ? new Chunk(flags, type, cookie, header.get(Bytes.LONG, 16), header.get(Bytes.LONG, 24))
            : new Chunk(flags, type, cookie, 0, Integer.toUnsignedLong(header.get(Bytes.INT, 16))));
  }
}
