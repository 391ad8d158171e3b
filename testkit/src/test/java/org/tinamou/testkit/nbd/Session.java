package org.tinamou.testkit.nbd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.nbd.client.ClientSession;
import org.tinamou.nbd.client.ClientTls;
import org.tinamou.nbd.client.HandshakeFailed;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.SessionEnded;

/** A client's session that uses everything, and checks the data it reads. */
final class Session {
  static final int SIZE_BYTES = 64 << 10;
  private static final int PART_BYTES = 600;
  private static final int SMALL_BYTES = 8;

  private final boolean extended;
  private final ClientTls tls;
  private final int partBytes;
  private volatile ClientSession open;

  Session(boolean extended) {
    this(extended, null);
  }

  /** A session that is encrypted unless {@code tls} is null. */
  Session(boolean extended, ClientTls tls) {
    this(extended, tls, PART_BYTES);
  }

  private Session(boolean extended, ClientTls tls, int partBytes) {
    this.extended = extended;
    this.tls = tls;
    this.partBytes = partBytes;
  }

  /** An encrypted session of little data. */
  static Session small(ClientTls tls) {
    return new Session(false, tls, SMALL_BYTES);
  }

  /** The session once the handshake is over, or null. */
  ClientSession open() {
    return open;
  }

  /** Runs it to its end; null, or the words of what went wrong. */
  String run(StreamSocket socket) {
    try {
      ClientSession session =
          ClientSession.open(socket, tls, "", List.of(Nbd.BASE_ALLOCATION), extended);
      open = session;
      try {
        use(session);
        session.close();
      } finally {
        session.abort("over");
      }
      return null;
    } catch (SessionEnded e) {
      return e.reason();
    } catch (HandshakeFailed e) {
      return String.valueOf(e.getMessage());
    } catch (ErrnoException e) {
      return "request failed: " + e.getMessage();
    }
  }

  private void use(ClientSession session) throws SessionEnded, ErrnoException {
    Arena arena = Arena.ofAuto();
    MemorySegment data = arena.allocate(partBytes);
    data.fill((byte) 7);
    session.write(1024, IoVector.of(data), false);
    data.fill((byte) 1);
    session.read(1024, IoVector.of(data));
    expect(data, (byte) 7);
    if (session.export().has(Nbd.SEND_FLUSH)) {
      session.command(Nbd.CMD_FLUSH, 0, 0, 0);
    }
    if (session.export().has(Nbd.SEND_TRIM)) {
      session.command(Nbd.CMD_TRIM, 0, 1024, 512);
      session.command(Nbd.CMD_WRITE_ZEROES, Nbd.FLAG_NO_HOLE, 1536, 88);
    }
    if (session.export().contexts().containsKey(Nbd.BASE_ALLOCATION)) {
      session.blockStatus(Nbd.BASE_ALLOCATION, 0, SIZE_BYTES);
    }
    MemorySegment all = arena.allocate(partBytes);
    all.fill((byte) 9);
    session.read(4096, IoVector.of(all));
    expect(all, (byte) 0);
  }

  private static void expect(MemorySegment data, byte value) {
    for (long i = 0; i < data.byteSize(); i++) {
      if (data.get(ValueLayout.JAVA_BYTE, i) != value) {
        throw new AssertionError("wrong data at " + i);
      }
    }
  }
}
