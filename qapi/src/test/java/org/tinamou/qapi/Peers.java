package org.tinamou.qapi;

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

/** The installed programs that tests compare with. */
public final class Peers {
  private Peers() {}

  /** Leaves the calling test out if the program is not installed, or fails if it has to be. */
  public static String require(String program) {
    for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
      Path path = Path.of(folder, program);
      if (Files.isExecutable(path)) {
        return path.toString();
      }
    }
    assertFalse(Boolean.getBoolean("tinamou.peers.required"), program + " is not installed");
    return Assumptions.abort("LEFT OUT: " + program + " is not installed");
  }

  /** What a program writes to either output. */
  public static String output(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(30, TimeUnit.SECONDS), () -> "does not end: " + command);
    return output;
  }
}
