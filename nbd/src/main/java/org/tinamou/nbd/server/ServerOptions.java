package org.tinamou.nbd.server;

import org.jspecify.annotations.Nullable;

/**
 * What a server allows.
 *
 * @param maxConnections how many clients at a time; 0 for any number
 * @param handshakeNanos how long a client may take to choose an export; 0 for ever
 * @param partialNanos how long a begun message may make no progress; 0 for ever
 * @param memoryBytes what all clients together may have in flight, beside 1 MiB for each
 * @param oldstyle greet clients in the protocol's first way, which knows just one export, the one
 *     without a name
 * @param tls how clients have to encrypt, or null if they cannot
 */
public record ServerOptions(
    int maxConnections,
    long handshakeNanos,
    long partialNanos,
    long memoryBytes,
    boolean oldstyle,
    @Nullable ServerTls tls) {
  /** 100 clients, 10 seconds to shake hands, 30 for the rest of a message, 256 MiB. */
  public static final ServerOptions DEFAULT =
      new ServerOptions(100, 10_000_000_000L, 30_000_000_000L, 256L << 20, false, null);

  /** The same with another number of clients. */
  public ServerOptions withMaxConnections(int connections) {
    return new ServerOptions(connections, handshakeNanos, partialNanos, memoryBytes, oldstyle, tls);
  }

  /** The same with another limit for the handshake. */
  public ServerOptions withHandshakeNanos(long nanos) {
    return new ServerOptions(maxConnections, nanos, partialNanos, memoryBytes, oldstyle, tls);
  }

  /** The same with another limit for the rest of a message. */
  public ServerOptions withPartialNanos(long nanos) {
    return new ServerOptions(maxConnections, handshakeNanos, nanos, memoryBytes, oldstyle, tls);
  }

  /** The same with another amount of memory. */
  public ServerOptions withMemoryBytes(long bytes) {
    return new ServerOptions(maxConnections, handshakeNanos, partialNanos, bytes, oldstyle, tls);
  }

  /** The same in the protocol's first way. */
  public ServerOptions inOldStyle() {
    return new ServerOptions(maxConnections, handshakeNanos, partialNanos, memoryBytes, true, tls);
  }

  /** The same for clients that encrypt. */
  public ServerOptions withTls(@Nullable ServerTls wanted) {
    return new ServerOptions(
        maxConnections, handshakeNanos, partialNanos, memoryBytes, oldstyle, wanted);
  }
}
