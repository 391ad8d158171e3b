package org.tinamou.nbd.server;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.StreamSocket;
import org.tinamou.nbd.wire.Deadline;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireReader;
import org.tinamou.nbd.wire.WireWriter;

/** One client, from its first byte to its last. */
final class ServerConnection {
  private static final int INPUT_BYTES = 16 << 10;
  private static final int OUTPUT_BYTES = 32 << 10;
  private static final long LEAVE_NANOS = 1_000_000_000L;

  private final NbdServer server;
  private final AioContext context;
  private final StreamSocket socket;
  private final ServerOptions options;
  private final MemoryBudget.Share memory;
  private final long startedNanos;
  private @Nullable NbdExport export;
  private volatile @Nullable String abortReason;
  private @Nullable ServerSession session;
  private boolean used;

  ServerConnection(
      NbdServer server,
      AioContext context,
      StreamSocket socket,
      ServerOptions options,
      MemoryBudget.Share memory,
      long startedNanos) {
    this.server = server;
    this.context = context;
    this.socket = socket;
    this.options = options;
    this.memory = memory;
    this.startedNanos = startedNanos;
  }

  long startedNanos() {
    return startedNanos;
  }

  /** What the client has chosen; null while it shakes hands. */
  @Nullable NbdExport export() {
    return export;
  }

  /** Whether it has come past its handshake, and to its end. */
  boolean hasServed() {
    return used;
  }

  boolean isAborted() {
    return abortReason != null;
  }

  /** Ends the connection, whatever it is doing. */
  void abort(String reason) {
    if (abortReason == null) {
      abortReason = reason;
      socket.shutdown();
    }
  }

  void run() {
    TransferMemory input = TransferMemory.take(INPUT_BYTES);
    TransferMemory output = TransferMemory.take(OUTPUT_BYTES);
    Deadline deadline = new Deadline(context, socket);
    WireReader in = new WireReader(socket, input.segment(), deadline, options.partialNanos());
    WireWriter out = new WireWriter(socket, output.segment());
    try {
      Negotiated negotiated = shakeHands(in, out, deadline);
      if (negotiated != null) {
        serve(negotiated, in, out, deadline);
      }
      takeLeave(out, deadline);
    } finally {
      deadline.disarm();
      socket.close();
      input.release();
      output.release();
      server.ended(this);
    }
  }

  /** In the words of the encryption, if there is one, and if the client still takes them. */
  private void takeLeave(WireWriter out, Deadline deadline) {
    if (!isAborted()) {
      deadline.arm(LEAVE_NANOS, "its leave");
      out.sayEnd();
    }
  }

  private @Nullable Negotiated shakeHands(WireReader in, WireWriter out, Deadline deadline) {
    deadline.arm(options.handshakeNanos(), "its options");
    try {
      Negotiated negotiated =
          new ServerHandshake(in, out, server, new TlsStart(socket, options.tls()))
              .run(options.oldstyle());
      if (negotiated != null
          && !isAborted()
          && server.find(negotiated.export().name()) == negotiated.export()) {
        export = negotiated.export();
        server.exportChosen();
        return negotiated;
      }
    } catch (SessionEnded e) {
      String aborted = abortReason;
      server.listener().handshakeFailed(aborted == null ? e.reason() : aborted);
    } finally {
      deadline.disarm();
    }
    return null;
  }

  /** The export may have gone to another loop. */
  void exportMoved() {
    ServerSession current = session;
    if (current != null) {
      current.exportMoved();
    }
  }

  private void serve(Negotiated negotiated, WireReader in, WireWriter out, Deadline deadline) {
    ServerSession serving =
        new ServerSession(
            context,
            negotiated,
            in,
            out,
            deadline,
            memory,
            () -> abort("the connection has failed"));
    session = serving;
    try {
      serving.run();
    } catch (SessionEnded e) {
      server.listener().sessionFailed(e.reason());
    } finally {
      session = null;
      used = true;
    }
  }
}
