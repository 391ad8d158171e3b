package org.tinamou.tools.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The server in a process of its own, started by one that ends when the server runs. Blocks its
 * thread, which has no loop.
 */
public final class BackgroundWorker {
  private static final String CHILD = "TINAMOU_BACKGROUND";

  private BackgroundWorker() {}

  /**
   * Starts this process's command once more, and waits until the server runs or has failed.
   *
   * @param option which the new process does without, however it is abbreviated
   * @return the exit code
   */
  public static int start(Console console, String option) throws ToolException {
    try {
      ProcessBuilder builder = new ProcessBuilder(commandLine(option));
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

  private static List<String> commandLine(String option) throws IOException {
    byte[] raw = Files.readAllBytes(Path.of("/proc/self/cmdline"));
    List<String> words =
        new ArrayList<>(List.of(new String(raw, StandardCharsets.UTF_8).split("\0", -1)));
    words.removeLast();
    words.set(0, ProcessHandle.current().info().command().orElse(words.getFirst()));
    List<String> kept = new ArrayList<>();
    // A session of its own: the terminal's signals are not for it.
    kept.add("setsid");
    for (String word : words) {
      if (!isOption(option, word)) {
        kept.add(word);
      }
    }
    return kept;
  }

  private static boolean isOption(String option, String word) {
    return word.length() > 4 && option.startsWith(word);
  }

  /** Whether this process is the one in the background. */
  public static boolean isBackground() {
    return System.getenv(CHILD) != null;
  }

  /** Tells the process that has started this one, if there is one, that the server runs. */
  public static void tellReady() {
    if (System.getenv(CHILD) != null) {
      System.out.write('\n');
      System.out.flush();
      System.out.close();
    }
  }
}
