package org.tinamou.daemon;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same commands to the reference's daemon and to ours are answered alike. */
class CommandsDifferentialTest {
  private static final String REFERENCE = "/usr/bin/qemu-storage-daemon";

  @ParameterizedTest
  @ValueSource(strings = {"nodes", "exports", "reopen", "snapshots", "transactions"})
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
    List<String> expected = reference(in(commands, theirs), theirs);
    prepare(ours);
    List<String> actual = CommandScript.run(in(commands, ours));
    Assertions.assertLinesMatch(
        normalized(expected, theirs).stream().map(java.util.regex.Pattern::quote).toList(),
        normalized(actual, ours));
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
    StringBuilder input = new StringBuilder("{\"execute\": \"qmp_capabilities\"}\n");
    for (String command : commands) {
      int space = command.indexOf(' ');
      input
          .append("{\"execute\": \"")
          .append(space < 0 ? command : command.substring(0, space))
          .append(space < 0 ? "\"}" : "\", \"arguments\": " + command.substring(space) + "}")
          .append('\n');
    }
    Path in = Files.writeString(directory.resolve("in"), input + "{\"execute\": \"quit\"}\n");
    Path out = directory.resolve("out");
    int exitCode =
        new ProcessBuilder(REFERENCE, "--chardev", "stdio,id=m", "--monitor", "m")
            .directory(directory.toFile())
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor();
    Assertions.assertEquals(0, exitCode);
    List<String> lines = new ArrayList<>(Files.readAllLines(out));
    // The greeting and its answer; the answer to quit, and what is told of the end.
    return lines.subList(2, lastAnswer(lines));
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
    return lines.stream()
        .filter(line -> line.startsWith("{"))
        .filter(line -> !line.contains("\"BLOCK_EXPORT_DELETED\""))
        .map(line -> line.replace(directory.toString(), "@DIR@"))
        .map(line -> line.replaceAll("#block[0-9]+", "#block"))
        .map(line -> line.replaceAll("\"timestamp\": \\{[^}]*}, ", ""))
        .map(line -> line.replaceAll("\"(actual|virtual)-size\": [0-9]+", "\"$1-size\": 0"))
        .map(String::strip)
        .toList();
  }
}
