package org.tinamou.nbd.client;

import java.nio.charset.StandardCharsets;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.Parsed;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.NbdErrno;
import org.tinamou.nbd.wire.Reply;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireReader;

/** Reads replies into the requests they belong to, believing nothing that they say. */
final class ReplyReader {
  private static final int MAX_STATUS_BYTES = 4 << 20;

  private final WireReader in;
  private final ExportDetails export;
  private final LongFunction<@Nullable Pending> requests;

  ReplyReader(WireReader in, ExportDetails export, LongFunction<@Nullable Pending> requests) {
    this.in = in;
    this.export = export;
    this.requests = requests;
  }

  private static SessionEnded broken(String message) {
    return new SessionEnded("Protocol error: " + message);
  }

  /**
   * Reads one reply or chunk.
   *
   * @return the request that is done with it, or null
   */
  @InCoroutine
  @Nullable Pending readOne() throws SessionEnded {
    if (!in.await(4)) {
      throw new SessionEnded("the server has ended the connection");
    }
    int headerBytes = Reply.headerBytes(in.peekInt());
    if (headerBytes < 0) {
      throw broken("invalid magic (got 0x%x)".formatted(in.peekInt()));
    }
    in.require(headerBytes);
    Reply reply =
        switch (Reply.parse(in.take(headerBytes), export.structured(), export.extended())) {
          case Parsed.Malformed<Reply> malformed -> throw broken(malformed.message());
          case Parsed.Value<Reply>(Reply value) -> value;
        };
    Pending request = requests.apply(reply.cookie());
    if (request == null || request.done) {
      throw broken("server sent a reply with an unexpected handle");
    }
    return switch (reply) {
      case Reply.Simple simple -> simple(request, simple);
      case Reply.Chunk chunk -> chunk(request, chunk) ? request : null;
    };
  }

  private Pending simple(Pending request, Reply.Simple reply) throws SessionEnded {
    if (reply.error() != 0) {
      request.fail(NbdErrno.ofWire(reply.error()), "the server has failed");
      return request;
    }
    if (request.command == Nbd.CMD_READ) {
      if (export.structured()) {
        throw broken("simple reply when structured reply chunk was expected");
      }
      in.readFully(request.buffer);
    } else if (request.command == Nbd.CMD_BLOCK_STATUS) {
      throw broken("simple reply to block status");
    }
    return request;
  }

  /** True if the reply is complete. */
  private boolean chunk(Pending request, Reply.Chunk chunk) throws SessionEnded {
    long length = chunk.lengthBytes();
    long most = request.lengthBytes + 8 + Nbd.MAX_STRING_BYTES + MAX_STATUS_BYTES;
    if (length < 0 || length > most) {
      throw broken("chunk of %s bytes".formatted(Long.toUnsignedString(length)));
    }
    switch (chunk.type()) {
      case Nbd.CHUNK_NONE -> {
        if (!chunk.isDone() || length != 0) {
          throw broken("NBD_REPLY_TYPE_NONE chunk without NBD_REPLY_FLAG_DONE or with payload");
        }
      }
      case Nbd.CHUNK_OFFSET_DATA -> data(request, length);
      case Nbd.CHUNK_OFFSET_HOLE -> hole(request, length);
      case Nbd.CHUNK_BLOCK_STATUS -> status(request, length, false);
      case Nbd.CHUNK_BLOCK_STATUS_EXT -> status(request, length, true);
      default -> {
        if (!chunk.isError()) {
          throw broken("unexpected reply type %d".formatted(chunk.type()));
        }
        error(request, length);
      }
    }
    if (!chunk.isDone()) {
      return false;
    }
    if (request.error == null) {
      checkComplete(request);
    }
    return true;
  }

  private static void checkComplete(Pending request) throws SessionEnded {
    if (request.command == Nbd.CMD_READ && request.filledBytes != request.lengthBytes) {
      throw broken("server has not sent all the data of a read");
    }
    if (request.command == Nbd.CMD_BLOCK_STATUS && request.extentBytes == 0) {
      // It need not tell anything; then there is data.
      request.extentBytes = request.lengthBytes;
      request.extentFlags = 0;
    }
  }

  /** The offset in the request's buffer of a piece that the server names. */
  private static long place(Pending request, long offset, long length) throws SessionEnded {
    if (request.command != Nbd.CMD_READ
        || length <= 0
        || offset < request.offsetBytes
        || offset - request.offsetBytes > request.lengthBytes - length) {
      throw broken("server sent a chunk exceeding the requested region");
    }
    request.filledBytes += length;
    if (request.filledBytes > request.lengthBytes) {
      throw broken("server sent overlapping chunks");
    }
    return offset - request.offsetBytes;
  }

  private void data(Pending request, long length) throws SessionEnded {
    if (length <= 8) {
      throw broken("invalid payload for NBD_REPLY_TYPE_OFFSET_DATA");
    }
    long offset = in.readLong();
    long at = place(request, offset, length - 8);
    in.readFully(
        at == 0 && length - 8 == request.lengthBytes
            ? request.buffer
            : request.buffer.slice(at, length - 8));
  }

  private void hole(Pending request, long length) throws SessionEnded {
    if (length != 12) {
      throw broken("invalid payload for NBD_REPLY_TYPE_OFFSET_HOLE");
    }
    long offset = in.readLong();
    long bytes = Integer.toUnsignedLong(in.readInt());
    request.buffer.slice(place(request, offset, bytes), bytes).fill((byte) 0);
  }

  private void status(Pending request, long length, boolean longForm) throws SessionEnded {
    int head = longForm ? 8 : 4;
    int entry = longForm ? 16 : 8;
    if (request.command != Nbd.CMD_BLOCK_STATUS
        || longForm != export.extended()
        || length < head + entry
        || length > MAX_STATUS_BYTES
        || (length - head) % entry != 0) {
      throw broken("invalid payload for NBD_REPLY_TYPE_BLOCK_STATUS");
    }
    int context = in.readInt();
    if (longForm && in.readInt() != (length - head) / entry) {
      throw broken("number of extents does not fit the payload");
    }
    if (context != request.contextId && export.contexts().containsValue(context)) {
      in.skip(length - head);
      return;
    }
    if (context != request.contextId || request.extentBytes != 0) {
      throw broken(
          "unexpected context id %d for NBD_REPLY_TYPE_BLOCK_STATUS, negotiated context id is %d"
              .formatted(context, request.contextId));
    }
    long bytes = longForm ? in.readLong() : Integer.toUnsignedLong(in.readInt());
    long flags = longForm ? in.readLong() : Integer.toUnsignedLong(in.readInt());
    if (bytes <= 0) {
      throw broken("server sent status chunk with zero length");
    }
    request.extentBytes = Math.min(bytes, request.lengthBytes);
    request.extentFlags = flags;
    in.skip(length - head - entry);
  }

  private void error(Pending request, long length) throws SessionEnded {
    if (length < 6 || length > 6 + 8 + Nbd.MAX_STRING_BYTES) {
      throw broken("invalid payload for an error chunk");
    }
    int error = in.readInt();
    int textBytes = in.readShort();
    if (error == 0 || textBytes > length - 6) {
      throw broken("server sent error chunk with zero error code or a text that is too long");
    }
    String text = new String(in.readBytes(textBytes), StandardCharsets.UTF_8);
    in.skip(length - 6 - textBytes);
    Errno errno = NbdErrno.ofWire(error);
    request.fail(errno, text);
  }
}
