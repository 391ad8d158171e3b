package org.tinamou.objects.tls;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.OptionException;

/** {@code tls-creds-x509}: certificates in the files of a directory. */
final class X509Credentials extends TlsCredentials {
  private final SSLContext context;
  private final CertificateCheck check;
  private final String[] protocols;

  private X509Credentials(CredentialOptions options, SSLContext context, CertificateCheck check) {
    super(options);
    this.context = context;
    this.check = check;
    this.protocols = options.versions().protocols();
  }

  /**
   * Reads the files.
   *
   * @param password what the key is encrypted with, or null
   * @param sane whether to look for mistakes that would show only once peers come
   */
  static X509Credentials load(CredentialOptions options, byte @Nullable [] password, boolean sane)
      throws OptionException {
    String side = options.endpoint().word();
    Path authorityFile = options.required("ca-cert.pem");
    Path revokedFile = options.isServer() ? options.file("ca-crl.pem", false) : null;
    Path certificateFile = options.file(side + "-cert.pem", options.isServer());
    Path keyFile = options.file(side + "-key.pem", options.isServer());
    List<X509Certificate> authorities = authorities(authorityFile);
    List<CRL> revoked = revokedFile == null ? List.of() : revocations(revokedFile);
    CertificateCheck check = new CertificateCheck(authorities, revoked, options.isServer());
    if (sane) {
      CertificateSanity.authorities(authorityFile, authorities);
    }
    KeyManager[] keys = null;
    if (certificateFile != null && keyFile != null) {
      List<X509Certificate> own = own(side, certificateFile);
      PrivateKey key = key(certificateFile, keyFile, password);
      if (sane) {
        CertificateSanity.own(certificateFile, own.getFirst(), options.isServer());
        check.own(certificateFile, authorityFile, own);
      }
      if (!CertificateSanity.fits(own.getFirst(), key)) {
        throw cannotLoad(
            certificateFile, keyFile, "The certificate and the given key do not match.");
      }
      keys = keyManagers(own, key, certificateFile, keyFile);
    }
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys, new TrustManager[] {new LaterTrust()}, null);
      return new X509Credentials(options, context, check);
    } catch (GeneralSecurityException e) {
      throw new OptionException("Cannot use the credentials: " + e.getMessage());
    }
  }

  private static List<X509Certificate> authorities(Path file) throws OptionException {
    try {
      return Pem.certificates(file);
    } catch (IOException | GeneralSecurityException e) {
      throw new OptionException("Unable to import CA certificate list " + file);
    }
  }

  private static List<CRL> revocations(Path file) throws OptionException {
    try {
      return Pem.revocations(file);
    } catch (IOException | GeneralSecurityException e) {
      throw new OptionException("Cannot load CRL '" + file + "': " + e.getMessage());
    }
  }

  private static List<X509Certificate> own(String side, Path file) throws OptionException {
    try {
      return Pem.certificates(file);
    } catch (IOException | GeneralSecurityException e) {
      throw new OptionException(
          "Unable to import " + side + " certificate " + file + ": " + e.getMessage());
    }
  }

  private static PrivateKey key(Path certificate, Path file, byte @Nullable [] password)
      throws OptionException {
    try {
      return Pem.key(file, password);
    } catch (IOException | GeneralSecurityException e) {
      throw cannotLoad(certificate, file, String.valueOf(e.getMessage()));
    }
  }

  private static OptionException cannotLoad(Path certificate, Path key, String why) {
    return new OptionException(
        "Cannot load certificate '" + certificate + "' & key '" + key + "': " + why);
  }

  private static KeyManager[] keyManagers(
      List<X509Certificate> own, PrivateKey key, Path certificateFile, Path keyFile)
      throws OptionException {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      char[] none = new char[0];
      store.setKeyEntry("own", key, none, own.toArray(X509Certificate[]::new));
      KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
      factory.init(store, none);
      return factory.getKeyManagers();
    } catch (IOException | GeneralSecurityException e) {
      throw cannotLoad(certificateFile, keyFile, String.valueOf(e.getMessage()));
    }
  }

  @Override
  TlsEngine newEngine(@Nullable String host) throws TlsException {
    if (endpoint() == Endpoint.CLIENT && verifiesPeer() && host == null) {
      throw new TlsException("No hostname for certificate validation");
    }
    SSLEngine engine = context.createSSLEngine();
    engine.setUseClientMode(endpoint() == Endpoint.CLIENT);
    engine.setEnabledProtocols(protocols);
    if (endpoint() == Endpoint.SERVER && verifiesPeer()) {
      engine.setWantClientAuth(true);
    }
    return new JdkEngine(engine, this, host);
  }

  /** Checks a peer's certificates; its name. */
  String verify(X509Certificate[] chain, @Nullable String host) throws TlsException {
    check.peer(chain);
    X509Certificate peer = chain[0];
    if (endpoint() == Endpoint.CLIENT && host != null && !HostNames.fits(peer, host)) {
      throw new TlsException("Certificate does not match the hostname " + host);
    }
    return DistinguishedNames.of(peer);
  }
}
