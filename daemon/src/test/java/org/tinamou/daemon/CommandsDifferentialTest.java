package org.tinamou.daemon;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same commands to the reference's daemon and to ours are answered alike. */
class CommandsDifferentialTest {
  private static final String REFERENCE = "/usr/bin/qemu-storage-daemon";

  private static final Pattern STATUS_CHANGE =
      Pattern.compile("JOB_STATUS_CHANGE.*\"status\": \"(.*?)\", \"id\": \"(.*?)\"");

  private static final Predicate<String> ANSWER =
      line -> line.startsWith("{\"return\"") || line.startsWith("{\"error\"");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nodes",
        "refusals",
        "exports",
        "reopen",
        "snapshots",
        "transactions",
        "jobs",
        "chains",
        "busy",
        "quorum",
        "creation",
        "overlays"
      })
  void answersAreAlike(String script, @TempDir Path scratch) throws Exception {
    boolean installed = Files.isExecutable(Path.of(REFERENCE));
    if (!installed) {
      Assertions.assertFalse(Boolean.getBoolean("tinamou.peers.required"), REFERENCE);
    }
    Assumptions.assumeTrue(installed, REFERENCE);
    // Both work in a directory of the same length, which is told in answers.
    Path theirs = Files.createDirectory(scratch.resolve("a"));
    Path ours = Files.createDirectory(scratch.resolve("b"));
    List<String> commands = commands(script);
    boolean timed = commands.stream().anyMatch(each -> each.startsWith(CommandScript.UNTIL));
    List<String> expected = reference(in(commands, theirs), theirs);
    prepare(ours);
    List<String> actual = CommandScript.run(in(commands, ours));
    Assertions.assertLinesMatch(
        settled(normalized(expected, theirs), timed).stream().map(Pattern::quote).toList(),
        settled(normalized(actual, ours), timed));
  }

  private static List<String> commands(String script) throws IOException {
    try (InputStream in = CommandsDifferentialTest.class.getResourceAsStream(script + ".txt")) {
      Assertions.assertNotNull(in);
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank())
          .toList();
    }
  }

  private static List<String> in(List<String> commands, Path directory) {
    return commands.stream().map(line -> line.replace("@DIR@", directory.toString())).toList();
  }

  private static void prepare(Path directory) throws Exception {
    Files.write(directory.resolve("r.raw"), new byte[1 << 20]);
    run(directory, "qemu-img", "create", "-q", "-f", "qcow2", "b.qcow2", "64M");
    String below = directory.resolve("b.qcow2").toString();
    run(
        directory,
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-b",
        below,
        "-F",
        "qcow2",
        "a.qcow2");
    run(directory, "qemu-img", "create", "-q", "-f", "qcow2", "ov.qcow2", "64M");
  }

  private static void run(Path directory, String... words) throws Exception {
    int exitCode = new ProcessBuilder(words).directory(directory.toFile()).start().waitFor();
    Assertions.assertEquals(0, exitCode, String.join(" ", words));
  }

  private static List<String> reference(List<String> commands, Path directory) throws Exception {
    prepare(directory);
    Process process =
        new ProcessBuilder(REFERENCE, "--chardev", "stdio,id=m", "--monitor", "m")
            .directory(directory.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    List<String> lines = new ArrayList<>();
    try (BufferedReader out = process.inputReader();
        BufferedWriter in = process.outputWriter()) {
      ask(in, "qmp_capabilities");
      int begin = 0;
      readUntil(out, lines, begin, ANSWER);
      for (String command : commands) {
        if (command.startsWith(CommandScript.UNTIL)) {
          String[] words = command.substring(CommandScript.UNTIL.length()).split(" ");
          readUntil(out, lines, begin, line -> tells(line, words));
        } else {
          begin = lines.size();
          ask(in, command);
          readUntil(out, lines, begin, ANSWER);
        }
      }
      ask(in, "quit");
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        lines.add(line);
      }
    }
    Assertions.assertEquals(0, process.waitFor());
    // The greeting and its answer; the answer to quit, and what is told of the end.
    return lines.subList(2, lastAnswer(lines));
  }

  private static void ask(BufferedWriter in, String command) throws IOException {
    int space = command.indexOf(' ');
    in.write("{\"execute\": \"" + (space < 0 ? command : command.substring(0, space)) + "\"");
    in.write((space < 0 ? "" : ", \"arguments\": " + command.substring(space)) + "}\n");
    in.flush();
  }

  private static boolean tells(String line, String[] words) {
    return line.contains("\"event\": \"" + words[0] + "\"")
        && (words.length == 1 || line.contains("\"status\": \"" + words[1] + "\""));
  }

  /** Reads on until one of the lines from a place on is the wanted one. */
  private static void readUntil(
      BufferedReader out, List<String> lines, int begin, Predicate<String> wanted)
      throws IOException {
    while (lines.subList(begin, lines.size()).stream().noneMatch(wanted)) {
      String line = out.readLine();
      Assertions.assertNotNull(line);
      lines.add(line);
    }
  }

  private static int lastAnswer(List<String> lines) {
    int index = lines.size() - 1;
    while (!lines.get(index).startsWith("{\"return\"")) {
      index--;
    }
    return index;
  }

  /** Without what differs from run to run, and what only one of both says. */
  private static List<String> normalized(List<String> lines, Path directory) {
    return withoutRests(lines).stream()
        .filter(line -> line.startsWith("{"))
        .filter(line -> !line.contains("\"BLOCK_EXPORT_DELETED\""))
        .map(line -> line.replace(directory.toString(), "@DIR@"))
        .map(line -> line.replaceAll("#block[0-9]+", "#block"))
        .map(line -> line.replaceAll("\"timestamp\": \\{[^}]*}, ", ""))
        .map(line -> line.replaceAll("\"(actual|virtual)-size\": [0-9]+", "\"$1-size\": 0"))
        .map(String::strip)
        .toList();
  }

  /** Without short rests of jobs, which depend on how far they are when the graph changes. */
  private static List<String> withoutRests(List<String> lines) {
    List<String> kept = new ArrayList<>();
    Set<String> resting = new HashSet<>();
    for (String line : lines) {
      Matcher change = STATUS_CHANGE.matcher(line);
      String status = change.find() ? change.group(1) : "";
      if (status.equals("paused") || status.equals("standby")) {
        resting.add(change.group(2));
      } else if (!status.matches("running|ready") || !resting.remove(change.group(2))) {
        kept.add(line);
      }
    }
    return kept;
  }

  /**
   * Answers and then events, if things go on by themselves: what comes first depends on how long
   * they take.
   */
  private static List<String> settled(List<String> lines, boolean timed) {
    if (!timed) {
      return lines;
    }
    List<String> sorted = new ArrayList<>(lines.stream().filter(ANSWER).toList());
    sorted.addAll(lines.stream().filter(ANSWER.negate()).toList());
    return sorted;
  }
}
