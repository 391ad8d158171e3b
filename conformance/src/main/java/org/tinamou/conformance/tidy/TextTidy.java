package org.tinamou.conformance.tidy;

import java.util.ArrayList;
import java.util.List;

/** What holds for every text file: no tabs, no blanks at line ends, one newline at the end. */
final class TextTidy {
  private TextTidy() {}

  static List<String> findings(String name, String text) {
    List<String> findings = new ArrayList<>();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      if (line.indexOf('\t') >= 0) {
        findings.add(name + ":" + number + ": tab");
      }
      if (!line.equals(line.stripTrailing())) {
        findings.add(name + ":" + number + ": blank at the end of the line");
      }
    }
    if (!text.endsWith("\n") || text.endsWith("\n\n")) {
      findings.add(name + ": must end with exactly one newline");
    }
    return findings;
  }
}
