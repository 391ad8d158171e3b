package org.tinamou.objects.tls;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Vector;
import org.bouncycastle.tls.AlertDescription;
import org.bouncycastle.tls.BasicTlsPSKExternal;
import org.bouncycastle.tls.BasicTlsPSKIdentity;
import org.bouncycastle.tls.CipherSuite;
import org.bouncycastle.tls.DefaultTlsClient;
import org.bouncycastle.tls.DefaultTlsServer;
import org.bouncycastle.tls.PRFAlgorithm;
import org.bouncycastle.tls.PSKTlsClient;
import org.bouncycastle.tls.PSKTlsServer;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.PskIdentity;
import org.bouncycastle.tls.TlsAuthentication;
import org.bouncycastle.tls.TlsClientProtocol;
import org.bouncycastle.tls.TlsCredentials;
import org.bouncycastle.tls.TlsFatalAlert;
import org.bouncycastle.tls.TlsPSKExternal;
import org.bouncycastle.tls.TlsPSKIdentityManager;
import org.bouncycastle.tls.TlsServerProtocol;
import org.bouncycastle.tls.crypto.TlsCrypto;
import org.bouncycastle.tls.crypto.impl.jcajce.JcaTlsCryptoProvider;
import org.jspecify.annotations.Nullable;

/**
 * Peers that know a key, or nothing, instead of having certificates, with the JDK's ciphers. TLS
 * 1.3 has no anonymous peers; keys are used with either version.
 */
final class BouncyPeers {
  /** The first is that of TLS 1.3, whose hash has to be the one that keys are bound to. */
  private static final int[] SHARED_KEY = {
    CipherSuite.TLS_AES_128_GCM_SHA256,
    CipherSuite.TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_DHE_PSK_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_PSK_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256
  };

  private static final int[] ANONYMOUS = {
    CipherSuite.TLS_DH_anon_WITH_AES_256_GCM_SHA384, CipherSuite.TLS_DH_anon_WITH_AES_128_GCM_SHA256
  };
  private static final ProtocolVersion[] VERSIONS = ProtocolVersion.TLSv12.only();

  private BouncyPeers() {}

  /** The ciphers, of which to find out what the JDK has takes longer than a handshake. */
  private static final class Crypto {
    static final TlsCrypto SHARED = new JcaTlsCryptoProvider().create(new SecureRandom());

    private Crypto() {}
  }

  private static TlsCrypto crypto() {
    return Crypto.SHARED;
  }

  private static ProtocolVersion[] versions(TlsVersions allowed) {
    if (!allowed.allows13()) {
      return VERSIONS.clone();
    }
    return allowed.allows12()
        ? ProtocolVersion.TLSv13.downTo(ProtocolVersion.TLSv12)
        : ProtocolVersion.TLSv13.only();
  }

  private static TlsPSKExternal external(byte[] user, byte[] key, TlsCrypto crypto) {
    return new BasicTlsPSKExternal(
        user, crypto.createSecret(key.clone()), PRFAlgorithm.tls13_hkdf_sha256);
  }

  static TlsEngine sharedKeyClient(String user, byte[] key, TlsVersions allowed)
      throws TlsException {
    TlsClientProtocol protocol = new TlsClientProtocol();
    TlsCrypto crypto = crypto();
    try {
      protocol.connect(
          new PSKTlsClient(crypto, new BasicTlsPSKIdentity(user, key.clone())) {
            @Override
            public @Nullable Vector<TlsPSKExternal> getExternalPSKs() {
              byte[] name = user.getBytes(StandardCharsets.UTF_8);
              return allowed.allows13() ? new Vector<>(List.of(external(name, key, crypto))) : null;
            }

            @Override
            protected int[] getSupportedCipherSuites() {
              return SHARED_KEY.clone();
            }

            @Override
            protected ProtocolVersion[] getSupportedVersions() {
              return versions(allowed);
            }
          });
    } catch (IOException e) {
      throw BouncyEngine.failed("TLS handshake failed: ", e);
    }
    return new BouncyEngine(protocol, () -> null);
  }

  static TlsEngine sharedKeyServer(Map<String, byte[]> keys, TlsVersions allowed)
      throws TlsException {
    TlsServerProtocol protocol = new TlsServerProtocol();
    Keys known = new Keys(keys);
    TlsCrypto crypto = crypto();
    try {
      protocol.accept(
          new PSKTlsServer(crypto, known) {
            // The library is older than type parameters.
            @SuppressWarnings("rawtypes")
            @Override
            public @Nullable TlsPSKExternal getExternalPSK(Vector identities) {
              for (Object each : identities) {
                byte[] name = ((PskIdentity) each).getIdentity();
                byte[] key = known.getPSK(name);
                if (key != null) {
                  return external(name, key, crypto);
                }
              }
              return null;
            }

            @Override
            protected int[] getSupportedCipherSuites() {
              return SHARED_KEY.clone();
            }

            @Override
            protected ProtocolVersion[] getSupportedVersions() {
              return versions(allowed);
            }
          });
    } catch (IOException e) {
      throw BouncyEngine.failed("TLS handshake failed: ", e);
    }
    return new BouncyEngine(protocol, () -> known.user);
  }

  /** Keys by user names; remembers who has asked. */
  private static final class Keys implements TlsPSKIdentityManager {
    private final Map<String, byte[]> keys;
    private @Nullable String user;

    Keys(Map<String, byte[]> keys) {
      this.keys = keys;
    }

    @Override
    public byte @Nullable [] getHint() {
      return null;
    }

    @Override
    public byte @Nullable [] getPSK(byte[] identity) {
      user = new String(identity, StandardCharsets.UTF_8);
      byte[] key = keys.get(user);
      return key == null ? null : key.clone();
    }
  }

  static TlsEngine anonymousClient() throws TlsException {
    TlsClientProtocol protocol = new TlsClientProtocol();
    try {
      protocol.connect(
          new DefaultTlsClient(crypto()) {
            @Override
            protected int[] getSupportedCipherSuites() {
              return ANONYMOUS.clone();
            }

            @Override
            protected ProtocolVersion[] getSupportedVersions() {
              return VERSIONS.clone();
            }

            @Override
            public TlsAuthentication getAuthentication() throws IOException {
              throw new TlsFatalAlert(AlertDescription.internal_error);
            }
          });
    } catch (IOException e) {
      throw BouncyEngine.failed("TLS handshake failed: ", e);
    }
    return new BouncyEngine(protocol, () -> null);
  }

  static TlsEngine anonymousServer() throws TlsException {
    TlsServerProtocol protocol = new TlsServerProtocol();
    try {
      protocol.accept(
          new DefaultTlsServer(crypto()) {
            @Override
            protected int[] getSupportedCipherSuites() {
              return ANONYMOUS.clone();
            }

            @Override
            protected ProtocolVersion[] getSupportedVersions() {
              return VERSIONS.clone();
            }

            @Override
            public @Nullable TlsCredentials getCredentials() {
              return null;
            }
          });
    } catch (IOException e) {
      throw BouncyEngine.failed("TLS handshake failed: ", e);
    }
    return new BouncyEngine(protocol, () -> null);
  }
}
