package org.tinamou.objects.tls;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CRL;
import java.security.cert.CertPath;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tinamou.qapi.OptionException;

/** Whether certificates can be trusted. */
final class CertificateCheck {
  private static final String SERVER_USE = "1.3.6.1.5.5.7.3.1";
  private static final String CLIENT_USE = "1.3.6.1.5.5.7.3.2";
  private static final String ANY_USE = "2.5.29.37.0";

  private final List<X509Certificate> authorities;
  private final List<CRL> revoked;
  private final boolean ofServer;

  /**
   * @param ofServer whether peers are clients
   */
  CertificateCheck(List<X509Certificate> authorities, List<CRL> revoked, boolean ofServer) {
    this.authorities = authorities;
    this.revoked = revoked;
    this.ofServer = ofServer;
  }

  void peer(X509Certificate[] chain) throws TlsException {
    String problem = problem(Arrays.asList(chain));
    if (problem != null) {
      throw new TlsException(problem);
    }
    if (!hasUse(chain[0], ofServer ? CLIENT_USE : SERVER_USE)) {
      throw new TlsException(
          "Verify failed: The certificate is not meant for a " + (ofServer ? "client" : "server"));
    }
  }

  /** Our own certificate has to be one that peers with the same authorities take. */
  void own(Path file, Path authorityFile, List<X509Certificate> chain) throws OptionException {
    String problem = problem(chain);
    if (problem != null) {
      throw new OptionException(
          "Our own certificate "
              + file
              + " failed validation against "
              + authorityFile
              + ": "
              + problem);
    }
  }

  private static boolean hasUse(X509Certificate certificate, String use) {
    try {
      List<String> uses = certificate.getExtendedKeyUsage();
      return uses == null || uses.contains(use) || uses.contains(ANY_USE);
    } catch (java.security.cert.CertificateParsingException e) {
      return false;
    }
  }

  private @org.jspecify.annotations.Nullable String problem(List<X509Certificate> chain) {
    for (X509Certificate each : chain) {
      try {
        each.checkValidity();
      } catch (CertificateExpiredException e) {
        return "The certificate has expired";
      } catch (CertificateNotYetValidException e) {
        return "The certificate is not yet activated";
      }
      for (CRL list : revoked) {
        if (list instanceof X509CRL known
            && known.getIssuerX500Principal().equals(each.getIssuerX500Principal())
            && list.isRevoked(each)) {
          return "The certificate has been revoked";
        }
      }
    }
    return isKnown(chain) ? null : "The certificate hasn't got a known issuer";
  }

  private boolean isKnown(List<X509Certificate> chain) {
    if (authorities.contains(chain.getFirst())) {
      return true;
    }
    Set<TrustAnchor> anchors = new HashSet<>();
    authorities.forEach(each -> anchors.add(new TrustAnchor(each, null)));
    X509CertSelector target = new X509CertSelector();
    target.setCertificate(chain.getFirst());
    try {
      PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, target);
      parameters.setRevocationEnabled(false);
      List<X509Certificate> between = new ArrayList<>(chain);
      parameters.addCertStore(
          CertStore.getInstance("Collection", new CollectionCertStoreParameters(between)));
      CertPath path = CertPathBuilder.getInstance("PKIX").build(parameters).getCertPath();
      return !path.getCertificates().isEmpty();
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
