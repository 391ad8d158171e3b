package org.tinamou.conformance.tidy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds links from one document to a file that is not there. */
final class MarkdownLinks {
  private static final Pattern LINK = Pattern.compile("\\[[^\\]]*\\]\\(([^)\\s]+)\\)");
  private static final Pattern ELSEWHERE = Pattern.compile("^[a-z]+:.*");
  private static final Pattern CODE = Pattern.compile("```.*?```|`[^`\\n]*`", Pattern.DOTALL);

  private MarkdownLinks() {}

  /**
   * @param document where the text stands, which relative links start from
   */
  static List<String> broken(Path document, String text) {
    List<String> findings = new ArrayList<>();
    Matcher link = LINK.matcher(CODE.matcher(text).replaceAll(""));
    while (link.find()) {
      String target = link.group(1).replaceFirst("#.*", "");
      if (target.isEmpty() || ELSEWHERE.matcher(target).matches()) {
        continue;
      }
      if (!Files.exists(document.resolveSibling(target))) {
        findings.add(document + ": link to " + target + " leads nowhere");
      }
    }
    return findings;
  }
}
