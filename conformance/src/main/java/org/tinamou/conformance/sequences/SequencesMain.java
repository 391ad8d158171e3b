package org.tinamou.conformance.sequences;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * {@code SequencesMain [COUNT [FIRST-SEED]]}: plays random sequences; exit code 1 if any differs.
 */
public final class SequencesMain {
  private static final int DEFAULT_COUNT = 1000;

  private SequencesMain() {}

  /** Plays what a seed says, in an empty directory. */
  @FunctionalInterface
  interface Player {
    SequenceRun.Outcome play(Path directory, long seed) throws IOException;
  }

  public static void main(String[] arguments) throws IOException {
    playAll(SequenceRun::play, arguments, DEFAULT_COUNT);
  }

  /** Plays seed after seed, tells what differs, and ends the program. */
  static void playAll(Player player, String[] arguments, int usualCount) throws IOException {
    if (!SequenceRun.hasReference()) {
      System.out.println("LEFT OUT: random sequences, because qemu-img or qemu-io is missing");
      System.exit("1".equals(System.getenv("TINAMOU_PEERS_REQUIRED")) ? 1 : 0);
    }
    int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : usualCount;
    long first = arguments.length > 1 ? Long.parseLong(arguments[1]) : 1;
    int different = 0;
    int leftOut = 0;
    for (long seed = first; seed < first + count; seed++) {
      Path directory = Files.createTempDirectory("tinamou-sequence");
      SequenceRun.Outcome outcome = player.play(directory, seed);
      if (!outcome.referenceFailure().isEmpty()) {
        leftOut++;
        System.out.println("seed " + seed + " left out: " + outcome.referenceFailure());
      }
      if (!outcome.differences().isEmpty()) {
        different++;
        System.out.println("seed " + seed + " differs (" + directory + "):");
        outcome.differences().forEach(System.out::println);
      } else {
        delete(directory);
      }
    }
    System.out.printf(
        "%d passed, %d failed, %d left out%n", count - different - leftOut, different, leftOut);
    System.exit(different == 0 ? 0 : 1);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      all.sorted(Comparator.reverseOrder()).forEach(SequencesMain::deleteOne);
    }
  }

  private static void deleteOne(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
