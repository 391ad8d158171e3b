package org.tinamou.jcstress;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.openjdk.jcstress.infra.runners.TestList;

/**
 * Runs the stress tests and judges them: a real class must show no forbidden result, and every
 * historical bug must show one, or the tests prove nothing. With arguments, JCStress itself runs
 * with them.
 */
public final class StressMain {
  private static final String JCSTRESS = "org.openjdk.jcstress.Main";
  private static final String BUGS = "org.tinamou.jcstress.bugs.";
  private static final List<String> SHORT =
      List.of("-m", "quick", "-sc", "false", "-time", "150", "-iters", "4");
  private static final Pattern FAILED = Pattern.compile("\\.+ \\[(FAILED|ERROR)\\] (\\S+)");
  private static final Pattern FORBIDDEN =
      Pattern.compile("\\s+(.+?)\\s+([\\d,]+)\\s+(\\S+%)\\s+Forbidden\\s+(.*)");

  /** Per failed test what each forbidden result looked like, over all configurations. */
  private final Map<String, Map<String, String>> failures = new TreeMap<>();

  private StressMain() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length > 0) {
      System.exit(jcstress(List.of(arguments)).inheritIO().start().waitFor());
    }
    System.exit(new StressMain().judge() ? 0 : 1);
  }

  private static ProcessBuilder jcstress(List<String> arguments) {
    String java = ProcessHandle.current().info().command().orElse("java");
    List<String> command = new ArrayList<>(List.of(java, "-cp"));
    command.add(classPath());
    command.add(JCSTRESS);
    command.add("--jvmArgsPrepend");
    command.add("--enable-native-access=ALL-UNNAMED --add-opens java.base/java.lang=ALL-UNNAMED");
    command.addAll(arguments);
    return new ProcessBuilder(command);
  }

  /** Absolute and without detours: JCStress makes class names of what it finds there. */
  private static String classPath() {
    return Pattern.compile(File.pathSeparator)
        .splitAsStream(System.getProperty("java.class.path"))
        .map(place -> Path.of(place).toAbsolutePath().normalize().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  private boolean judge() throws IOException, InterruptedException {
    Set<String> real = new TreeSet<>();
    Set<String> bugs = new TreeSet<>();
    for (String test : TestList.tests()) {
      (test.startsWith(BUGS) ? bugs : real).add(test);
    }
    System.out.printf("%d tests of the real classes%n", real.size());
    boolean cleanRun = run("^(?!" + Pattern.quote(BUGS) + ").*") == 0;
    boolean good = cleanRun && failures.isEmpty();
    report(real, "well", "FAILED");
    failures.clear();
    System.out.printf("%d historical bugs, which must fail%n", bugs.size());
    run("^" + Pattern.quote(BUGS) + ".*");
    report(bugs, "NOT FOUND: what tests the real class proves nothing", "found");
    return good && failures.keySet().containsAll(bugs);
  }

  private void report(Set<String> tests, String withoutForbidden, String withForbidden) {
    for (String test : tests) {
      Map<String, String> seen = failures.get(test);
      String name = test.substring(test.lastIndexOf('.', test.lastIndexOf('.') - 1) + 1);
      System.out.printf("  %-40s %s%n", name, seen == null ? withoutForbidden : withForbidden);
      if (seen != null) {
        seen.forEach((result, text) -> System.out.println("      " + result + ": " + text));
      }
    }
  }

  private int run(String selection) throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(SHORT);
    arguments.addAll(List.of("-t", selection));
    List<String> lines = new ArrayList<>();
    Process process = jcstress(arguments).redirectErrorStream(true).start();
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      String current = "";
      for (String line; (line = output.readLine()) != null; ) {
        Matcher failed = FAILED.matcher(line);
        Matcher forbidden = FORBIDDEN.matcher(line);
        if (failed.find()) {
          current = failed.group(2);
          failures.computeIfAbsent(current, name -> new TreeMap<>());
        } else if (forbidden.matches() && failures.containsKey(current)) {
          // The last table of a test sums up the others.
          String text =
              "%s samples (%s), %s"
                  .formatted(forbidden.group(2), forbidden.group(3), forbidden.group(4));
          failures.getOrDefault(current, Map.of()).put(forbidden.group(1), text);
        }
        lines.add(line);
      }
    }
    int code = process.waitFor();
    if (code != 0 && failures.isEmpty()) {
      // It did not get as far as judging.
      lines.forEach(System.out::println);
    }
    return code;
  }
}
