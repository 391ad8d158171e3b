package org.tinamou.conformance.tidy;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds rows of the table of scenarios that name a test, workload or mutant that is not there. */
final class ScenarioTable {
  private static final Pattern ROW = Pattern.compile("^\\| ([A-Z][0-9]+) \\|(.*)\\|(.*)\\|$");
  private static final Pattern NAMED = Pattern.compile("`([^`]+)`");

  private ScenarioTable() {}

  /**
   * @param sources the text of each Java source by the simple name of its class
   * @param required ids that must have a row
   */
  static List<String> findings(String text, Map<String, String> sources, List<String> required) {
    List<String> findings = new ArrayList<>();
    TreeSet<String> missing = new TreeSet<>(required);
    TreeSet<String> seen = new TreeSet<>();
    for (String line : text.lines().toList()) {
      Matcher row = ROW.matcher(line);
      if (!row.matches()) {
        continue;
      }
      String id = row.group(1);
      missing.remove(id);
      if (!seen.add(id)) {
        findings.add(id + " has two rows");
      }
      Matcher named = NAMED.matcher(row.group(3));
      boolean any = false;
      while (named.find()) {
        any = true;
        if (!exists(named.group(1), sources)) {
          findings.add(id + ": there is no " + named.group(1));
        }
      }
      if (!any) {
        findings.add(id + " names no test");
      }
    }
    missing.forEach(id -> findings.add(id + " has no row"));
    return findings;
  }

  private static boolean exists(String name, Map<String, String> sources) {
    int space = name.indexOf(' ');
    if (space > 0) {
      String what = name.substring(space + 1);
      return switch (name.substring(0, space)) {
        case "jcstress" -> sources.containsKey(what);
        case "scenario" -> hasScenario(sources, what);
        case "mutant" ->
            Stream.of("Mutant", "JobMutants", "ToolMutants")
                .anyMatch(file -> sources.getOrDefault(file, "").contains('"' + what + '"'));
        case "workload" ->
            hasWord(sources.get("Workload"), what.toUpperCase(Locale.ROOT).replace('-', '_'));
        default -> false;
      };
    }
    int hash = name.indexOf('#');
    return hash > 0 && hasMethod(sources.get(name.substring(0, hash)), name.substring(hash + 1));
  }

  private static boolean hasScenario(Map<String, String> sources, String id) {
    Pattern named = Pattern.compile("\"([A-Z][0-9]+ )*" + id + "( [A-Z][0-9]+)*\"");
    return sources.entrySet().stream()
        .anyMatch(
            source ->
                source.getKey().endsWith("Scenarios") && named.matcher(source.getValue()).find());
  }

  private static boolean hasMethod(@Nullable String source, String name) {
    return source != null && source.contains("void " + name + "(");
  }

  private static boolean hasWord(@Nullable String source, String word) {
    return source != null && Pattern.compile("\\b" + word + "\\b").matcher(source).find();
  }
}
