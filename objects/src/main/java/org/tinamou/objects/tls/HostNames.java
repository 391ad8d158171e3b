package org.tinamou.objects.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import javax.security.auth.x500.X500Principal;

/** Whether a certificate is that of a host. */
final class HostNames {
  private static final int DNS = 2;
  private static final int ADDRESS = 7;

  private HostNames() {}

  static boolean fits(X509Certificate certificate, String host) {
    boolean address = isAddress(host);
    boolean names = false;
    try {
      Collection<List<?>> all = certificate.getSubjectAlternativeNames();
      for (List<?> each : all == null ? List.<List<?>>of() : all) {
        int kind = (Integer) each.getFirst();
        if (kind == DNS) {
          names = true;
          if (!address && matches((String) each.get(1), host)) {
            return true;
          }
        } else if (kind == ADDRESS && address && sameAddress((String) each.get(1), host)) {
          return true;
        }
      }
    } catch (CertificateParsingException e) {
      return false;
    }
    return !names && !address && matches(commonName(certificate), host);
  }

  private static boolean isAddress(String host) {
    return host.contains(":") || host.matches("[0-9]+(\\.[0-9]+){3}");
  }

  private static boolean sameAddress(String named, String host) {
    try {
      return java.net.InetAddress.ofLiteral(named).equals(java.net.InetAddress.ofLiteral(host));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static String commonName(X509Certificate certificate) {
    String name = certificate.getSubjectX500Principal().getName(X500Principal.RFC2253);
    for (String part : name.split("(?<!\\\\),")) {
      if (part.startsWith("CN=")) {
        return part.substring(3);
      }
    }
    return "";
  }

  /** A star stands for the whole first part of a name that has three or more. */
  private static boolean matches(String pattern, String host) {
    String wanted = pattern.toLowerCase(Locale.ROOT);
    String given = host.toLowerCase(Locale.ROOT);
    if (!wanted.startsWith("*.")) {
      return !wanted.isEmpty() && wanted.equals(given);
    }
    int dot = given.indexOf('.');
    return dot > 0
        && given.substring(dot).equals(wanted.substring(1))
        && wanted.indexOf('.', 2) > 0;
  }
}
