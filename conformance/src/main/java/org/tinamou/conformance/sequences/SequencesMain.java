package org.tinamou.conformance.sequences;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Plays random sequences and tells what differs. Arguments: how many (default 100), the first seed
 * (default 1). Exits with 1 if anything differs; then the directory of each such sequence stays.
 */
public final class SequencesMain {
  private SequencesMain() {}

  public static void main(String[] arguments) throws IOException {
    int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 100;
    long first = arguments.length > 1 ? Long.parseLong(arguments[1]) : 1;
    Path root = Files.createTempDirectory("tinamou-sequences");
    int failed = 0;
    for (long seed = first; seed < first + count; seed++) {
      List<String> differences = play(seed, root);
      if (!differences.isEmpty()) {
        failed++;
        System.out.printf("seed %d:%n%s%n", seed, String.join("\n", differences));
      }
    }
    System.out.printf("%d sequences, %d with differences%n", count, failed);
    if (failed > 0) {
      System.out.println("images: " + root);
      System.exit(1);
    }
    Twins.delete(root);
  }

  /** Plays one sequence below a directory, which keeps the images only if something differs. */
  static List<String> play(long seed, Path root) throws IOException {
    Path directory = Files.createDirectory(root.resolve("seed-" + seed));
    List<String> differences = Twins.play(Sequence.draw(seed), directory);
    if (differences.isEmpty()) {
      Twins.delete(directory);
    }
    return differences;
  }
}
