package org.tinamou.objects.tls;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.security.auth.x500.X500Principal;

/** Subjects as text. */
final class DistinguishedNames {
  private DistinguishedNames() {}

  /** The subject with its parts in the order in which they stand in the certificate. */
  static String of(X509Certificate certificate) {
    String name = certificate.getSubjectX500Principal().getName(X500Principal.RFC2253);
    List<String> parts = new ArrayList<>();
    int start = 0;
    boolean quoted = false;
    for (int i = 0; i < name.length(); i++) {
      char each = name.charAt(i);
      if (each == '\\') {
        i++;
      } else if (each == '"') {
        quoted = !quoted;
      } else if (each == ',' && !quoted) {
        parts.add(name.substring(start, i));
        start = i + 1;
      }
    }
    parts.add(name.substring(start));
    Collections.reverse(parts);
    return String.join(",", parts);
  }
}
