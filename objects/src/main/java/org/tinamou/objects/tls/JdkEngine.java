package org.tinamou.objects.tls;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/** The JDK's TLS, for peers with certificates. */
final class JdkEngine implements TlsEngine {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final SSLEngine engine;
  private final X509Credentials credentials;
  private final @Nullable String host;
  private final ByteBuffer record;
  private boolean open;

  JdkEngine(SSLEngine engine, X509Credentials credentials, @Nullable String host)
      throws TlsException {
    this.engine = engine;
    this.credentials = credentials;
    this.host = host;
    this.record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
    try {
      engine.beginHandshake();
    } catch (SSLException e) {
      throw failed("TLS handshake failed: ", e);
    }
  }

  private static TlsException failed(String prefix, Exception e) {
    return new TlsException(prefix + e.getMessage(), e);
  }

  @Override
  public byte[] shakeHands(ByteBuffer received) throws TlsException {
    ByteArrayOutputStream reply = new ByteArrayOutputStream();
    ByteBuffer data = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
    try {
      while (true) {
        switch (engine.getHandshakeStatus()) {
          case NEED_TASK -> runTasks();
          case NEED_WRAP -> {
            if (wrap(reply) == SSLEngineResult.Status.CLOSED) {
              throw new TlsException("TLS handshake failed: the connection was closed");
            }
          }
          case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
            SSLEngineResult result = engine.unwrap(received, data.clear());
            if (result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW) {
              return reply.toByteArray();
            }
            if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
              throw new TlsException("TLS handshake failed: the peer has closed the connection");
            }
          }
          default -> {
            open = true;
            return reply.toByteArray();
          }
        }
      }
    } catch (SSLException e) {
      throw failed("TLS handshake failed: ", e);
    }
  }

  private void runTasks() {
    for (Runnable task = engine.getDelegatedTask();
        task != null;
        task = engine.getDelegatedTask()) {
      task.run();
    }
  }

  private SSLEngineResult.Status wrap(ByteArrayOutputStream reply) throws SSLException {
    SSLEngineResult.Status status = engine.wrap(NOTHING, record.clear()).getStatus();
    reply.write(record.array(), 0, record.position());
    return status;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public @Nullable String verifyPeer() throws TlsException {
    if (!credentials.verifiesPeer()) {
      return null;
    }
    Certificate[] chain;
    try {
      chain = engine.getSession().getPeerCertificates();
    } catch (SSLPeerUnverifiedException e) {
      throw new TlsException("Verify failed: No certificate was found.", e);
    }
    X509Certificate[] certificates = new X509Certificate[chain.length];
    for (int i = 0; i < chain.length; i++) {
      certificates[i] = (X509Certificate) chain[i];
    }
    return credentials.verify(certificates, host);
  }

  @Override
  public int open(ByteBuffer received, ByteBuffer data) throws TlsException {
    try {
      while (true) {
        int before = data.position();
        SSLEngineResult result = engine.unwrap(received, data);
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
          runTasks();
        }
        switch (result.getStatus()) {
          case BUFFER_UNDERFLOW -> {
            return INCOMPLETE;
          }
          case CLOSED -> {
            return ENDED;
          }
          case BUFFER_OVERFLOW -> throw new TlsException("a record is too long");
          default -> {
            int count = data.position() - before;
            if (count > 0 || result.bytesConsumed() > 0) {
              return count;
            }
            if (engine.getHandshakeStatus() != HandshakeStatus.NEED_UNWRAP_AGAIN) {
              return INCOMPLETE;
            }
          }
        }
      }
    } catch (SSLException e) {
      throw failed("Cannot read from TLS channel: ", e);
    }
  }

  @Override
  public void seal(ByteBuffer data, ByteBuffer target) throws TlsException {
    try {
      // Words of the engine's own may go first, or less than all fit into a record.
      SSLEngineResult result = engine.wrap(data, target);
      if (result.getStatus() != SSLEngineResult.Status.OK || result.bytesProduced() == 0) {
        throw new TlsException("Cannot write to TLS channel: " + result.getStatus());
      }
    } catch (SSLException e) {
      throw failed("Cannot write to TLS channel: ", e);
    }
  }

  @Override
  public byte[] pending() throws TlsException {
    if (engine.getHandshakeStatus() != HandshakeStatus.NEED_WRAP) {
      return new byte[0];
    }
    ByteArrayOutputStream reply = new ByteArrayOutputStream();
    try {
      while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP
          && wrap(reply) == SSLEngineResult.Status.OK) {
        if (reply.size() > 2 * MAX_RECORD_BYTES) {
          throw new TlsException("the TLS layer does not come to an end");
        }
      }
    } catch (SSLException e) {
      throw failed("Cannot write to TLS channel: ", e);
    }
    return reply.toByteArray();
  }

  @Override
  public byte[] end() {
    engine.closeOutbound();
    ByteArrayOutputStream reply = new ByteArrayOutputStream();
    try {
      while (!engine.isOutboundDone() && reply.size() < MAX_RECORD_BYTES) {
        if (wrap(reply) == SSLEngineResult.Status.CLOSED) {
          break;
        }
      }
    } catch (SSLException e) {
      return reply.toByteArray();
    }
    return reply.toByteArray();
  }
}
