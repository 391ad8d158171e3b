package org.tinamou.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Whole processes, from their start to their end: an empty {@code main} on the runtime in dist/
 * without further options, our {@code img info} of a small qcow2 image and, where it is installed,
 * the reference's. All take turns.
 *
 * <p>Arguments: rounds. Wants dist/ in the system property {@code tinamou.dist}.
 */
public final class StartupTimes {
  private static final int WARM_UP_ROUNDS = 3;
  private static final double NANOS_PER_MILLI = 1e6;
  private static final String REFERENCE = "/usr/bin/qemu-img";

  /** One command, and what its processes took. */
  private record Timed(String name, List<String> command, double[] millis) {
    double median() {
      double[] sorted = millis.clone();
      Arrays.sort(sorted);
      return sorted[sorted.length / 2];
    }

    double least() {
      return Arrays.stream(millis).min().orElseThrow();
    }
  }

  private final int rounds;
  private final List<Timed> all = new ArrayList<>();

  private StartupTimes(int rounds) {
    this.rounds = rounds;
  }

  public static void main(String[] arguments) throws Exception {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 31;
    Path dist = Path.of(System.getProperty("tinamou.dist", "dist")).toRealPath();
    Path folder = Files.createTempDirectory("tinamou-startup");
    Path image = folder.resolve("a.qcow2");
    try {
      StartupTimes times = new StartupTimes(rounds);
      String tool = dist.resolve("compat/qemu-img").toString();
      run(List.of(tool, "create", "-q", "-f", "qcow2", image.toString(), "1G"));
      String classes =
          Path.of(EmptyMain.class.getProtectionDomain().getCodeSource().getLocation().toURI())
              .toString();
      String java = dist.resolve("runtime/bin/java").toString();
      times.add("empty main", java, "-cp", classes, EmptyMain.class.getName());
      times.add("img info", tool, "info", image.toString());
      times.add("img info, JSON", tool, "info", "--output=json", image.toString());
      times.add("img info -f raw", tool, "info", "-f", "raw", image.toString());
      times.add("img map", tool, "map", image.toString());
      if (Files.isExecutable(Path.of(REFERENCE))) {
        times.add("reference's info", REFERENCE, "info", image.toString());
      }
      times.measure();
      times.print();
    } finally {
      Files.deleteIfExists(image);
      Files.delete(folder);
    }
  }

  private void add(String name, String... command) {
    all.add(new Timed(name, List.of(command), new double[rounds]));
  }

  private void measure() throws IOException, InterruptedException {
    for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
      for (Timed each : all) {
        double taken = run(each.command());
        if (round >= 0) {
          each.millis()[round] = taken;
        }
      }
    }
  }

  /** Milliseconds from before the process to after it. */
  private static double run(List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    long start = System.nanoTime();
    int exitCode = builder.start().waitFor();
    long end = System.nanoTime();
    if (exitCode != 0) {
      throw new IllegalStateException(command + " ended with exit code " + exitCode);
    }
    return (end - start) / NANOS_PER_MILLI;
  }

  /** Each beside the first. */
  private void print() {
    Timed base = all.getFirst();
    for (Timed each : all) {
      System.out.printf(
          "%-18s median %7.1f ms (%.2f times the %s), least %7.1f ms (%.2f)%n",
          each.name(),
          each.median(),
          each.median() / base.median(),
          base.name(),
          each.least(),
          each.least() / base.least());
    }
  }
}
