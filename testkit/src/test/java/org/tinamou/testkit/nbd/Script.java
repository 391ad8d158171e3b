package org.tinamou.testkit.nbd;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.tinamou.nbd.wire.Nbd;

/** Bytes in the order in which they are sent. */
final class Script {
  /** The cookie of requests that are written here, and of a client's first. */
  static final long CLIENT_COOKIE = 77;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  Script put(Object... values) {
    for (Object value : values) {
      switch (value) {
        case Short two -> bytes.writeBytes(ByteBuffer.allocate(2).putShort(two).array());
        case Integer four -> bytes.writeBytes(ByteBuffer.allocate(4).putInt(four).array());
        case Long eight -> bytes.writeBytes(ByteBuffer.allocate(8).putLong(eight).array());
        case String text -> bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
        case byte[] raw -> bytes.writeBytes(raw);
        default -> throw new IllegalArgumentException(value.toString());
      }
    }
    return this;
  }

  // ---- a client's

  Script option(int code, String payload) {
    return put(Nbd.OPTION_MAGIC, code, payload.length(), payload);
  }

  Script request(int flags, int command, long offset, int length) {
    return put(Nbd.REQUEST_MAGIC, (short) flags, (short) command, CLIENT_COOKIE, offset, length);
  }

  // ---- a server's

  Script greeting(int flags) {
    return put(Nbd.MAGIC, Nbd.OPTION_MAGIC, (short) flags);
  }

  Script answer(int option, int type, Object... payload) {
    byte[] content = new Script().put(payload).bytes();
    return put(Nbd.OPTION_REPLY_MAGIC, option, type, content.length, content);
  }

  Script simple(long cookie, int error, Object... data) {
    return put(Nbd.SIMPLE_REPLY_MAGIC, error, cookie).put(data);
  }

  Script chunk(int flags, int type, long cookie, Object... payload) {
    byte[] content = new Script().put(payload).bytes();
    return put(
        Nbd.STRUCTURED_REPLY_MAGIC, (short) flags, (short) type, cookie, content.length, content);
  }

  byte[] bytes() {
    return bytes.toByteArray();
  }

  static MemorySegment memory(byte[] bytes) {
    return bytes.length == 0
        ? MemorySegment.NULL
        : Arena.ofAuto().allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
  }
}
