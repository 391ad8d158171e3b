package org.tinamou.objects.tls;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.bouncycastle.tls.TlsFatalAlert;
import org.bouncycastle.tls.TlsFatalAlertReceived;
import org.bouncycastle.tls.TlsProtocol;
import org.jspecify.annotations.Nullable;

/** Bouncy Castle's TLS, for peers without certificates. */
final class BouncyEngine implements TlsEngine {
  private static final int HEADER_BYTES = 5;

  private final TlsProtocol protocol;
  private final PeerNames names;
  private final byte[] buffer = new byte[MAX_RECORD_BYTES];
  private boolean open;

  /** Who the other side has said it is, once the handshake is over. */
  interface PeerNames {
    @Nullable String name();
  }

  /**
   * @param protocol has begun already
   */
  BouncyEngine(TlsProtocol protocol, PeerNames names) {
    this.protocol = protocol;
    this.names = names;
  }

  static TlsException failed(String prefix, IOException e) {
    String text =
        switch (e) {
          case TlsFatalAlertReceived _ -> "A TLS fatal alert has been received.";
          case TlsFatalAlert alert ->
              org.bouncycastle.tls.AlertDescription.getText(alert.getAlertDescription());
          default -> String.valueOf(e.getMessage());
        };
    return new TlsException(prefix + text, e);
  }

  /** Hands over one record, if a whole one has come. */
  private boolean offer(ByteBuffer received) throws IOException, TlsException {
    if (received.remaining() < HEADER_BYTES) {
      return false;
    }
    int length =
        HEADER_BYTES
            + ((received.get(received.position() + 3) & 0xff) << 8
                | received.get(received.position() + 4) & 0xff);
    if (length > MAX_RECORD_BYTES) {
      throw new TlsException("a record of " + length + " bytes is too long");
    }
    if (received.remaining() < length) {
      return false;
    }
    received.get(buffer, 0, length);
    protocol.offerInput(buffer, 0, length);
    return true;
  }

  @Override
  public byte[] shakeHands(ByteBuffer received) throws TlsException {
    try {
      boolean more = true;
      while (more && protocol.isHandshaking()) {
        more = offer(received);
      }
      open = protocol.isConnected();
      return output();
    } catch (IOException e) {
      throw failed("TLS handshake failed: ", e);
    }
  }

  private byte[] output() {
    byte[] all = new byte[protocol.getAvailableOutputBytes()];
    protocol.readOutput(all, 0, all.length);
    return all;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public @Nullable String verifyPeer() {
    return names.name();
  }

  @Override
  public int open(ByteBuffer received, ByteBuffer data) throws TlsException {
    try {
      if (protocol.isClosed()) {
        return ENDED;
      }
      if (protocol.getAvailableInputBytes() == 0 && !offer(received)) {
        return INCOMPLETE;
      }
      int count = Math.min(protocol.getAvailableInputBytes(), data.remaining());
      byte[] plain = new byte[count];
      protocol.readInput(plain, 0, count);
      data.put(plain);
      return count == 0 && protocol.isClosed() ? ENDED : count;
    } catch (IOException e) {
      throw failed("Cannot read from TLS channel: ", e);
    }
  }

  @Override
  public void seal(ByteBuffer data, ByteBuffer record) throws TlsException {
    byte[] plain = new byte[data.remaining()];
    data.get(plain);
    try {
      protocol.writeApplicationData(plain, 0, plain.length);
    } catch (IOException e) {
      throw failed("Cannot write to TLS channel: ", e);
    }
    int length = protocol.getAvailableOutputBytes();
    if (length > record.remaining()) {
      throw new TlsException("Cannot write to TLS channel: a record is too long");
    }
    protocol.readOutput(record, length);
  }

  @Override
  public byte[] pending() {
    return output();
  }

  @Override
  public byte[] end() {
    try {
      protocol.close();
    } catch (IOException e) {
      return output();
    }
    return output();
  }
}
