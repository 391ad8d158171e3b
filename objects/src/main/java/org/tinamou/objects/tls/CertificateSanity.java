package org.tinamou.objects.tls;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.List;
import org.tinamou.qapi.OptionException;

/** Mistakes in certificates of one's own, told when they are read instead of when peers come. */
final class CertificateSanity {
  private static final String EXTENDED_USE = "2.5.29.37";
  private static final String USE = "2.5.29.15";
  private static final int SIGN_CERTIFICATES = 5;

  private CertificateSanity() {}

  static void authorities(Path file, List<X509Certificate> all) throws OptionException {
    for (X509Certificate each : all) {
      validity(file, each, "CA");
      if (each.getBasicConstraints() < 0) {
        throw new OptionException(
            "The certificate " + file + " basic constraints do not show a CA");
      }
      boolean[] use = each.getKeyUsage();
      if (use != null && !use[SIGN_CERTIFICATES] && isCritical(each, USE)) {
        throw new OptionException(
            "Certificate " + file + " usage does not permit certificate signing");
      }
    }
  }

  static void own(Path file, X509Certificate certificate, boolean server) throws OptionException {
    String side = server ? "server" : "client";
    validity(file, certificate, side);
    if (certificate.getBasicConstraints() >= 0) {
      throw new OptionException(
          "The certificate "
              + file
              + " basic constraints show a CA, but we need one for a "
              + side);
    }
    String wanted = server ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2";
    try {
      List<String> uses = certificate.getExtendedKeyUsage();
      if (uses != null
          && isCritical(certificate, EXTENDED_USE)
          && !uses.contains(wanted)
          && !uses.contains("2.5.29.37.0")) {
        throw new OptionException(
            "Certificate " + file + " purpose does not allow use for with a TLS " + side);
      }
    } catch (CertificateParsingException e) {
      throw new OptionException("Unable to query certificate " + file + " key purposes");
    }
  }

  private static boolean isCritical(X509Certificate certificate, String extension) {
    return certificate.getCriticalExtensionOIDs() != null
        && certificate.getCriticalExtensionOIDs().contains(extension);
  }

  private static void validity(Path file, X509Certificate certificate, String kind)
      throws OptionException {
    try {
      certificate.checkValidity();
    } catch (CertificateExpiredException e) {
      throw new OptionException("The " + kind + " certificate " + file + " has expired");
    } catch (CertificateNotYetValidException e) {
      throw new OptionException("The " + kind + " certificate " + file + " is not yet active");
    }
  }

  /** Whether what the key signs is the certificate's. */
  static boolean fits(X509Certificate certificate, PrivateKey key) {
    String scheme =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          case "RSASSA-PSS" -> "";
          default -> key.getAlgorithm();
        };
    if (scheme.isEmpty()) {
      return true;
    }
    try {
      byte[] text = "anything".getBytes(StandardCharsets.US_ASCII);
      Signature signing = Signature.getInstance(scheme);
      signing.initSign(key);
      signing.update(text);
      byte[] signature = signing.sign();
      Signature checking = Signature.getInstance(scheme);
      checking.initVerify(certificate.getPublicKey());
      checking.update(text);
      return checking.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
