package org.tinamou.nbd.server;

import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.Request;

/** What is wrong with a request, before anything is done for it. */
final class RequestCheck {
  /** A refusal. */
  record Refusal(Errno errno, String message) {}

  private RequestCheck() {}

  /** Why the request is refused, or null. */
  static @Nullable Refusal of(Request request, Negotiated session) {
    long length = request.lengthBytes();
    int command = request.command();
    if (command > Nbd.CMD_BLOCK_STATUS) {
      return invalid("invalid request type (%d) received".formatted(command));
    }
    boolean payloadStatus = command == Nbd.CMD_BLOCK_STATUS && request.has(Nbd.FLAG_PAYLOAD_LEN);
    boolean moves = command == Nbd.CMD_READ || command == Nbd.CMD_WRITE || command == Nbd.CMD_CACHE;
    if ((moves || payloadStatus) && (length < 0 || length > Nbd.MAX_TRANSFER_BYTES)) {
      return invalid(
          "len (%s ) is larger than max len (%d)"
              .formatted(Long.toUnsignedString(length), Nbd.MAX_TRANSFER_BYTES));
    }
    if (session.export().isReadOnly()
        && (command == Nbd.CMD_WRITE
            || command == Nbd.CMD_TRIM
            || command == Nbd.CMD_WRITE_ZEROES)) {
      return new Refusal(Errno.EPERM, "Export is read-only");
    }
    long size = session.export().sizeBytes();
    long offset = request.offsetBytes();
    boolean ranged = command != Nbd.CMD_FLUSH && !payloadStatus;
    if (ranged && (offset < 0 || offset > size || length < 0 || length > size - offset)) {
      return invalid(
          "operation past EOF; From: %s, Len: %s, Size: %d"
              .formatted(Long.toUnsignedString(offset), Long.toUnsignedString(length), size));
    }
    int known = knownFlags(command, session);
    if ((request.flags() & ~known) != 0) {
      return invalid(
          "unsupported flags for command %s (got 0x%x)"
              .formatted(Nbd.commandName(command), request.flags()));
    }
    if (command == Nbd.CMD_BLOCK_STATUS && !payloadStatus && length == 0) {
      return invalid("need non-zero length");
    }
    if (command == Nbd.CMD_BLOCK_STATUS && session.contexts().isEmpty()) {
      return invalid("CMD_BLOCK_STATUS not negotiated");
    }
    return null;
  }

  private static Refusal invalid(String message) {
    return new Refusal(Errno.EINVAL, message);
  }

  private static int knownFlags(int command, Negotiated session) {
    int payload = session.extended() ? Nbd.FLAG_PAYLOAD_LEN : 0;
    int own =
        switch (command) {
          case Nbd.CMD_READ -> session.structured() ? Nbd.FLAG_DF : 0;
          case Nbd.CMD_WRITE -> payload;
          case Nbd.CMD_WRITE_ZEROES -> Nbd.FLAG_NO_HOLE | Nbd.FLAG_FAST_ZERO;
          case Nbd.CMD_BLOCK_STATUS -> Nbd.FLAG_REQ_ONE | payload;
          default -> 0;
        };
    return Nbd.FLAG_FUA | own;
  }
}
