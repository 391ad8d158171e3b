package org.tinamou.objects.tls;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.OptionException;

/**
 * Which versions of TLS may be used: what is understood of a priority text such as {@code
 * NORMAL:-VERS-TLS1.2}. Other parts of such texts choose among ciphers that are all considered
 * strong here, and have no effect.
 */
record TlsVersions(boolean allows12, boolean allows13) {
  static TlsVersions parse(@Nullable String priority) throws OptionException {
    boolean allows12 = true;
    boolean allows13 = true;
    for (String each : priority == null ? new String[0] : priority.split(":", -1)) {
      if (each.length() < 2 || each.startsWith("@") || each.startsWith("%")) {
        continue;
      }
      char sign = each.charAt(0);
      boolean adds = sign == '+';
      String word = each.substring(1);
      if (sign != '+' && sign != '-' && sign != '!') {
        continue;
      }
      switch (word) {
        case "VERS-ALL", "VERS-TLS-ALL" -> {
          allows12 = adds;
          allows13 = adds;
        }
        case "VERS-TLS1.2" -> allows12 = adds;
        case "VERS-TLS1.3" -> allows13 = adds;
        default -> {
          // Of the ciphers that are used none is weak.
        }
      }
    }
    if (!allows12 && !allows13) {
      throw new OptionException("Unable to set TLS session priority " + priority);
    }
    return new TlsVersions(allows12, allows13);
  }

  /** The JDK's names of them. */
  String[] protocols() {
    List<String> all = new ArrayList<>();
    if (allows13) {
      all.add("TLSv1.3");
    }
    if (allows12) {
      all.add("TLSv1.2");
    }
    return all.toArray(String[]::new);
  }
}
