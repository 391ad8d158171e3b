package org.tinamou.nbd.wire;

import java.lang.foreign.MemorySegment;
import org.tinamou.base.Parsed;

/**
 * The header of a request.
 *
 * @param flags bits of the FLAG constants
 * @param command one of the CMD constants, or something unknown
 * @param cookie names the request in its reply
 * @param offsetBytes unsigned
 * @param lengthBytes unsigned; in compact headers 32 bits
 */
public record Request(int flags, int command, long cookie, long offsetBytes, long lengthBytes) {
  /**
   * Reads a header.
   *
   * @param header {@link Nbd#REQUEST_BYTES} or {@link Nbd#EXTENDED_REQUEST_BYTES}
   * @param extended which of the two forms was negotiated
   */
  public static Parsed<Request> parse(MemorySegment header, boolean extended) {
    int magic = header.get(Bytes.INT, 0);
    if (magic != (extended ? Nbd.EXTENDED_REQUEST_MAGIC : Nbd.REQUEST_MAGIC)) {
      return new Parsed.Malformed<>("magic", "invalid magic (got 0x%x)".formatted(magic));
    }
    return new Parsed.Value<>(
        new Request(
            header.get(Bytes.SHORT, 4) & 0xffff,
            header.get(Bytes.SHORT, 6) & 0xffff,
            header.get(Bytes.LONG, 8),
            header.get(Bytes.LONG, 16),
            extended
                ? header.get(Bytes.LONG, 24)
                : Integer.toUnsignedLong(header.get(Bytes.INT, 24))));
  }

  /** Writes the header; {@code target} is as long as the form demands. */
  public void write(MemorySegment target, boolean extended) {
    target.set(Bytes.INT, 0, extended ? Nbd.EXTENDED_REQUEST_MAGIC : Nbd.REQUEST_MAGIC);
    target.set(Bytes.SHORT, 4, (short) flags);
    target.set(Bytes.SHORT, 6, (short) command);
    target.set(Bytes.LONG, 8, cookie);
    target.set(Bytes.LONG, 16, offsetBytes);
    if (extended) {
      target.set(Bytes.LONG, 24, lengthBytes);
    } else {
      target.set(Bytes.INT, 24, (int) lengthBytes);
    }
  }

  /** How many bytes a header takes. */
  public static int headerBytes(boolean extended) {
    return extended ? Nbd.EXTENDED_REQUEST_BYTES : Nbd.REQUEST_BYTES;
  }

  public boolean has(int flag) {
    return (flags & flag) != 0;
  }
}
