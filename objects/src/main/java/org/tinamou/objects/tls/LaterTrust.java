package org.tinamou.objects.tls;

import java.net.Socket;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Lets a handshake come to its end whoever the peer is: {@link CertificateCheck} looks at it then,
 * before a byte of data, and says in the reference's words what is wrong.
 */
final class LaterTrust extends X509ExtendedTrustManager {
  /** None: there are clients that find no certificate of theirs in a list as the JDK sends it. */
  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String kind) {}

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String kind) {}

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket) {}

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket) {}

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}
}
