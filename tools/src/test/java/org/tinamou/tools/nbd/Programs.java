package org.tinamou.tools.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Installed programs that the tests talk with. */
public final class Programs {
  /** What a program left behind. */
  public record Outcome(int exitCode, String output) {}

  private Programs() {}

  /** Leaves the calling test out unless all are installed, or fails if they have to be. */
  public static void require(String... programs) {
    for (String program : programs) {
      boolean found = false;
      for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
        found |= Files.isExecutable(Path.of(folder, program));
      }
      if (!found) {
        assertFalse(Boolean.getBoolean("tinamou.peers.required"), program + " is not installed");
        Assumptions.abort("LEFT OUT: " + program + " is not installed");
      }
    }
  }

  /** Runs a program to its end. */
  public static Outcome run(List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C.UTF-8");
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), () -> "does not end: " + command);
    return new Outcome(process.exitValue(), output);
  }

  /** What a program that must succeed prints. */
  static String output(String... command) throws IOException, InterruptedException {
    Outcome outcome = run(List.of(command));
    assertEquals(0, outcome.exitCode, String.join(" ", command) + "\n" + outcome.output);
    return outcome.output;
  }

  /** Starts a server that stays in the foreground, and waits until clients find it. */
  static AutoCloseable foreground(String uri, List<String> command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    int attempts = 0;
    while (run(List.of("nbdinfo", "--size", uri)).exitCode != 0) {
      assertTrue(process.isAlive() && ++attempts < 1000, () -> "does not start: " + command);
    }
    return () -> {
      process.destroy();
      process.waitFor();
    };
  }

  /** Starts a server that goes into the background when it is ready, and ends it at the close. */
  static AutoCloseable background(Path pidFile, List<String> command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS), () -> "does not start: " + command);
    assertEquals(0, process.exitValue(), () -> "does not start: " + command);
    long pid = Long.parseLong(Files.readString(pidFile).strip());
    return () ->
        ProcessHandle.of(pid)
            .ifPresent(
                server -> {
                  server.destroy();
                  server.onExit().join();
                });
  }
}
