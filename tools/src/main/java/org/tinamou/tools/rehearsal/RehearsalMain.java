package org.tinamou.tools.rehearsal;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.tools.daemon.DaemonMain;
import org.tinamou.tools.img.ImgMain;
import org.tinamou.tools.io.IoMain;
import org.tinamou.tools.nbd.NbdMain;
import org.tinamou.tools.system.SystemMain;

/**
 * Runs commands of the tools one after the other in one process, while the virtual machine records
 * which classes they load, how these are linked and which methods are hot.
 */
public final class RehearsalMain {
  private static final String THEN = "then";

  private RehearsalMain() {}

  /**
   * Runs the commands and ends the process, with the exit code of the first one that fails.
   *
   * @param arguments command lines, each {@code img}, {@code io}, {@code nbd}, {@code
   *     storage-daemon} or {@code system} and what follows it, with the word {@code then} between
   *     them
   */
  public static void main(String[] arguments) {
    List<String> words = new ArrayList<>();
    for (String word : arguments) {
      if (word.equals(THEN)) {
        runOrExit(words);
        words.clear();
      } else {
        words.add(word);
      }
    }
    runOrExit(words);
  }

  private static void runOrExit(List<String> words) {
    String[] rest = words.subList(1, words.size()).toArray(new String[0]);
    int exitCode =
        switch (words.getFirst()) {
          case "img" -> ImgMain.run(rest);
          case "io" -> IoMain.run(rest);
          case "nbd" -> NbdMain.run(rest);
          case "storage-daemon" -> DaemonMain.run(rest);
          case "system" -> SystemMain.run(rest);
          default -> throw new IllegalArgumentException(words.getFirst());
        };
    if (exitCode != 0) {
      System.err.println("failed: " + String.join(" ", words));
      System.exit(exitCode);
    }
  }
}
