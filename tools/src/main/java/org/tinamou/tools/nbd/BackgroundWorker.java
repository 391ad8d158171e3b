package org.tinamou.tools.nbd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;

/**
 * The server in a process of its own, started by one that ends when the server runs. Blocks its
 * thread, which has no loop.
 */
final class BackgroundWorker {
  private static final String CHILD = "TINAMOU_NBD_BACKGROUND";

  private BackgroundWorker() {}

  /**
   * Starts this process's command once more, without {@code --fork}, and waits until the server
   * runs or has failed.
   *
   * @return the exit code
   */
  static int start(Console console) throws ToolException {
    try {
      ProcessBuilder builder = new ProcessBuilder(commandLine());
      builder.environment().put(CHILD, "1");
      builder.redirectInput(Path.of("/dev/null").toFile());
      builder.redirectError(ProcessBuilder.Redirect.INHERIT);
      Process child = builder.start();
      // One byte says that the server runs; the end without it that it does not.
      if (child.getInputStream().read() >= 0) {
        return 0;
      }
      int exitCode = child.waitFor();
      return exitCode == 0 ? 1 : exitCode;
    } catch (IOException e) {
      throw new ToolException("Failed to fork: " + e.getMessage());
    } catch (InterruptedException e) {
      throw new ToolException("Interrupted while the server was starting");
    }
  }

  private static List<String> commandLine() throws IOException {
    byte[] raw = Files.readAllBytes(Path.of("/proc/self/cmdline"));
    List<String> words =
        new ArrayList<>(List.of(new String(raw, StandardCharsets.UTF_8).split("\0", -1)));
    words.removeLast();
    words.set(0, ProcessHandle.current().info().command().orElse(words.getFirst()));
    List<String> kept = new ArrayList<>();
    // A session of its own: the terminal's signals are not for it.
    kept.add("setsid");
    for (String word : words) {
      if (!isFork(word)) {
        kept.add(word);
      }
    }
    return kept;
  }

  private static boolean isFork(String word) {
    return word.equals("--fork") || word.equals("--for");
  }

  /** Tells the process that has started this one, if there is one, that the server runs. */
  static void tellReady() {
    if (System.getenv(CHILD) != null) {
      System.out.write('\n');
      System.out.flush();
      System.out.close();
    }
  }
}
