package org.tinamou.conformance.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Signals that reach a tool while it copies, slowly. */
@Timeout(120)
class InterruptionDistTest {
  private static final Path TOOL =
      Path.of("..").toAbsolutePath().normalize().resolve("dist/compat/qemu-img");
  private static final int IMAGE_BYTES = 32 << 20;
  private static final int EXIT_CODE_OF_SIGTERM = 143;

  @TempDir Path directory;
  private Path image;
  private Path copy;

  @BeforeEach
  void makeImage() throws IOException {
    byte[] content = new byte[IMAGE_BYTES];
    java.util.Arrays.fill(content, (byte) 7);
    image = Files.write(directory.resolve("a.raw"), content);
    copy = directory.resolve("b.qcow2");
  }

  private Process convert(String... options) throws IOException {
    List<String> command = new java.util.ArrayList<>(List.of(TOOL.toString(), "convert"));
    command.addAll(List.of(options));
    command.addAll(List.of("-r", "4M", "-f", "raw", "-O", "qcow2"));
    command.addAll(List.of(image.toString(), copy.toString()));
    return new ProcessBuilder(command).start();
  }

  private void send(String signal, Process process) throws Exception {
    assertEquals(
        0, Program.run(directory, Map.of(), "kill", signal, "" + process.pid()).exitCode());
  }

  /** Reads up to the first progress that is not nothing. */
  private static void awaitProgress(InputStream told) throws IOException {
    StringBuilder text = new StringBuilder();
    while (!text.toString().matches("(?s).*\\((?!0\\.00)[0-9.]+/100%\\)\r.*")) {
      int character = told.read();
      assertTrue(character >= 0, () -> "ended after " + text);
      text.append((char) character);
    }
  }

  @Test
  void whoeverStopsACopyIsToldWhatIsLeft() throws Exception {
    Process process = convert("-p");
    awaitProgress(process.getInputStream());
    send("-TERM", process);
    String errors = new String(process.getErrorStream().readAllBytes());
    assertEquals(EXIT_CODE_OF_SIGTERM, process.waitFor());
    assertEquals(
        "qemu-img: interrupted: '" + copy + "' is consistent, but not all has been copied\n",
        errors);
    Program check = Program.run(directory, Map.of(), TOOL, "check", copy);
    assertTrue(check.output().startsWith("No errors were found on the image."), check::output);
    assertTrue(Files.size(copy) < IMAGE_BYTES, "only part of it was copied");
  }

  @Test
  void whoeverAsksIsToldHowFarItIs() throws Exception {
    Process process = convert();
    // The signal is handled from before the target is made.
    while (!Files.exists(copy)) {
      assertTrue(process.isAlive(), "ended before it began");
      Thread.onSpinWait();
    }
    send("-USR1", process);
    try (BufferedReader errors = process.errorReader()) {
      assertTrue(errors.readLine().matches(" {4}\\([0-9.]+/100%\\)"));
      process.destroy();
      process.waitFor();
    }
  }
}
