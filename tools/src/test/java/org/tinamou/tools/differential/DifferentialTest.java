package org.tinamou.tools.differential;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Our tools beside the installed reference: for every command line the same output, errors and exit
 * code, and in the end the same files.
 */
class DifferentialTest {
  private static final AtomicInteger LEFT_OUT = new AtomicInteger();

  private record Script(String title, List<String> lines) {}

  @TempDir Path root;

  @AfterAll
  static void reportLeftOut() {
    if (LEFT_OUT.get() > 0) {
      System.out.println(
          "LEFT OUT: " + LEFT_OUT.get() + " comparisons with qemu-img (not installed)");
    }
  }

  @TestFactory
  Stream<DynamicTest> create() throws IOException {
    return scripts("create.txt");
  }

  @TestFactory
  Stream<DynamicTest> info() throws IOException {
    return scripts("info.txt");
  }

  @TestFactory
  Stream<DynamicTest> map() throws IOException {
    return scripts("map.txt");
  }

  @TestFactory
  Stream<DynamicTest> compare() throws IOException {
    return scripts("compare.txt");
  }

  @TestFactory
  Stream<DynamicTest> convert() throws IOException {
    return scripts("convert.txt");
  }

  @TestFactory
  Stream<DynamicTest> io() throws IOException {
    return scripts("io.txt");
  }

  @TestFactory
  Stream<DynamicTest> ioOpen() throws IOException {
    return scripts("io-open.txt");
  }

  @TestFactory
  Stream<DynamicTest> blkdebug() throws IOException {
    return scripts("blkdebug.txt");
  }

  @TestFactory
  Stream<DynamicTest> blklogwrites() throws IOException {
    return scripts("blklogwrites.txt");
  }

  @TestFactory
  Stream<DynamicTest> ioReopen() throws IOException {
    return scripts("io-reopen.txt");
  }

  @TestFactory
  Stream<DynamicTest> measure() throws IOException {
    return scripts("measure.txt");
  }

  @TestFactory
  Stream<DynamicTest> qcow2() throws IOException {
    return scripts("qcow2.txt");
  }

  @TestFactory
  Stream<DynamicTest> resize() throws IOException {
    return scripts("resize.txt");
  }

  @TestFactory
  Stream<DynamicTest> qcow2Space() throws IOException {
    return scripts("qcow2-space.txt");
  }

  @TestFactory
  Stream<DynamicTest> qcow2Parts() throws IOException {
    return scripts("qcow2-parts.txt");
  }

  @TestFactory
  Stream<DynamicTest> bitmap() throws IOException {
    return scripts("bitmap.txt");
  }

  @TestFactory
  Stream<DynamicTest> chain() throws IOException {
    return scripts("chain.txt");
  }

  @TestFactory
  Stream<DynamicTest> snapshot() throws IOException {
    return scripts("snapshot.txt");
  }

  @TestFactory
  Stream<DynamicTest> dd() throws IOException {
    return scripts("dd.txt");
  }

  @TestFactory
  Stream<DynamicTest> bench() throws IOException {
    return scripts("bench.txt");
  }

  @TestFactory
  Stream<DynamicTest> unable() throws IOException {
    return scripts("unable.txt");
  }

  @TestFactory
  Stream<DynamicTest> imageOptions() throws IOException {
    return scripts("image-options.txt");
  }

  /** Two mistakes at a time: the tools must find the same one first. */
  @Test
  void convertFindsTheSameMistakeFirst() throws IOException {
    mistakes("img convert %s %s @a.raw @o.raw", lines("convert-mistakes.txt"));
  }

  /** Each part of the file: a command, then what can be wrong with it. */
  @TestFactory
  Stream<DynamicTest> findsTheSameMistakeFirst() throws IOException {
    return read("mistakes.txt").stream()
        .map(
            part ->
                DynamicTest.dynamicTest(
                    part.title(),
                    () ->
                        mistakes(
                            part.lines().getFirst(),
                            part.lines().subList(1, part.lines().size()))));
  }

  @Test
  void createFindsTheSameMistakeFirst() throws IOException {
    mistakes("img create %s %s", lines("create-mistakes.txt"));
  }

  private void mistakes(String command, List<String> mistakes) throws IOException {
    List<String> script = new ArrayList<>();
    script.add("img create -q -f raw @a.raw 64k");
    for (int first = 0; first < mistakes.size(); first++) {
      for (int second = 0; second < mistakes.size(); second++) {
        if (first < second) {
          script.add(command.formatted(mistakes.get(first), mistakes.get(second)));
        }
      }
    }
    run(new Script("pairs of mistakes", script));
  }

  private Stream<DynamicTest> scripts(String resource) throws IOException {
    return read(resource).stream()
        .map(script -> DynamicTest.dynamicTest(script.title(), () -> run(script)));
  }

  private static List<Script> read(String resource) throws IOException {
    List<Script> scripts = new ArrayList<>();
    String title = "";
    List<String> lines = new ArrayList<>();
    for (String line : lines(resource)) {
      if (line.startsWith("# ")) {
        title = line.substring(2);
      } else if (!line.isBlank()) {
        lines.add(line);
      } else if (!lines.isEmpty()) {
        scripts.add(new Script(title, List.copyOf(lines)));
        lines.clear();
      }
    }
    if (!lines.isEmpty()) {
      scripts.add(new Script(title, lines));
    }
    assertFalse(scripts.isEmpty(), resource);
    return scripts;
  }

  private static List<String> lines(String resource) throws IOException {
    try (InputStream stream = DifferentialTest.class.getResourceAsStream(resource)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  private void run(Script script) throws IOException {
    if (!Peer.isInstalled()) {
      LEFT_OUT.addAndGet(script.lines().size());
      assertFalse(
          Boolean.getBoolean("tinamou.peers.required"),
          "qemu-img and qemu-io are not installed (Debian: qemu-utils)");
      assumeTrue(false, "qemu-img and qemu-io are not installed");
    }
    List<String> expected = ScriptRun.transcript(script.lines(), root, true);
    List<String> actual = ScriptRun.transcript(script.lines(), root, false);
    assertTrue(expected.size() > script.lines().size());
    String differences = differences(expected, actual);
    if (!differences.isEmpty()) {
      fail(script.title() + "\n" + differences);
    }
  }

  /** The commands or files after which the transcripts differ, with both sides. */
  private static String differences(List<String> expected, List<String> actual) {
    List<List<String>> left = groups(expected);
    List<List<String>> right = groups(actual);
    StringBuilder text = new StringBuilder();
    for (int index = 0; index < Math.max(left.size(), right.size()); index++) {
      List<String> one = index < left.size() ? left.get(index) : List.of("nothing");
      List<String> other = index < right.size() ? right.get(index) : List.of("nothing");
      if (!one.equals(other)) {
        text.append("  reference: ").append(String.join("\n    ", one)).append('\n');
        text.append("  ours:      ").append(String.join("\n    ", other)).append("\n\n");
      }
    }
    return text.toString();
  }

  private static List<List<String>> groups(List<String> transcript) {
    List<List<String>> groups = new ArrayList<>();
    for (String line : transcript) {
      if (groups.isEmpty() || line.startsWith("$ ") || line.startsWith("file ")) {
        groups.add(new ArrayList<>());
      }
      groups.getLast().add(line);
    }
    return groups;
  }
}
