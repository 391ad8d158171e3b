package org.tinamou.nbd.server;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.objects.authz.Authorization;
import org.tinamou.objects.tls.TlsException;
import org.tinamou.objects.tls.TlsStream;
import org.tinamou.qapi.OptionException;

/** Whether and how a client begins to encrypt. */
final class TlsStart {
  private final StreamSocket socket;
  private final @Nullable ServerTls tls;
  private boolean started;

  TlsStart(StreamSocket socket, @Nullable ServerTls tls) {
    this.socket = socket;
    this.tls = tls;
  }

  /** Whether clients can encrypt, which they then have to. */
  boolean isConfigured() {
    return tls != null;
  }

  boolean isStarted() {
    return started;
  }

  /** Whether nothing else is answered yet. */
  boolean isMissing() {
    return tls != null && !started;
  }

  /** Shakes hands; the stream that takes the place of the socket. */
  @InCoroutine
  StreamSocket start() throws SessionEnded {
    ServerTls wanted = tls;
    if (wanted == null || started) {
      throw new SessionEnded("TLS is not configured, or on already");
    }
    try {
      TlsStream stream = TlsStream.server(socket, wanted.credentials());
      Authorization authorization = wanted.authorization();
      if (authorization != null) {
        authorize(authorization, stream.peerName());
      }
      started = true;
      return stream;
    } catch (TlsException e) {
      throw new SessionEnded(e.reason());
    }
  }

  private static void authorize(Authorization authorization, @Nullable String name)
      throws SessionEnded {
    if (name == null) {
      throw new SessionEnded("TLS authz check for a peer without a name is denied");
    }
    boolean allowed;
    try {
      allowed = Coroutine.current().context().callBlocking(() -> authorization.allows(name));
    } catch (OptionException e) {
      throw new SessionEnded("TLS authz check failed: " + e.getMessage());
    }
    if (!allowed) {
      throw new SessionEnded("TLS x509 authz check for " + name + " is denied");
    }
  }
}
