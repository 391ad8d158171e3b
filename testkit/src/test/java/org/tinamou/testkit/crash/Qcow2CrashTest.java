package org.tinamou.testkit.crash;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.base.SeededRandom;
import org.tinamou.testkit.sim.Simulation;

/** What power cuts leave is sound in the eyes of the reference, too. */
class Qcow2CrashTest {
  private static final int SEEDS = 24;
  private static final int EVERY = 8;
  private static final int LEAKS_ONLY = 3;

  private static final int SEEDS_UNDER_TOOLS = 12;
  private static final int EVERY_UNDER_TOOLS = 12;

  private static final int VERSION_BYTE = 7;

  /** The last byte of the number of the method. */
  private static final int ENCRYPTION_BYTE = 35;

  /** In the header, big-endian: the last byte of the incompatible features. */
  private static final int DIRTY_BYTE = 79;

  @TempDir Path directory;

  private static boolean hasReference() {
    boolean installed =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "qemu-img")));
    if (!installed) {
      assertFalse(Boolean.getBoolean("tinamou.peers.required"), "qemu-utils is not installed");
    }
    return installed;
  }

  private record Cut(String name, byte[] content) {}

  private static List<Cut> sample(long seed) {
    List<Cut> cuts = new ArrayList<>();
    int[] seen = new int[1];
    Simulation simulation = new Simulation(seed, false);
    SeededRandom random = simulation.random().fork();
    AioContext main = simulation.newLoop("main");
    Qcow2Crash.Observer observer =
        (name, content) -> {
          boolean dirty = content.length > DIRTY_BYTE && (content[DIRTY_BYTE] & 1) != 0;
          if (seen[0]++ % EVERY == 0 && !dirty) {
            cuts.add(new Cut("seed " + seed + ", " + name, content));
          }
        };
    main.spawn("crash", () -> Qcow2Crash.play(main, seed, random, observer));
    assertTrue(simulation.run(10_000_000), "still busy");
    simulation.closeLoops();
    return cuts;
  }

  /** An old image cannot say that flags which forbid writing in place are still to be set. */
  private static boolean isOnlyCopiedOften(Cut cut, String output) {
    return cut.content()[VERSION_BYTE] == 2
        && output
            .lines()
            .filter(line -> line.startsWith("ERROR"))
            .allMatch(line -> line.contains("OFLAG_COPIED") && line.endsWith("refcount=1"));
  }

  @Test
  void theReferenceFindsNoDamage() throws Exception {
    boolean reference = hasReference();
    int judged = 0;
    for (long seed = 1; seed <= SEEDS; seed++) {
      for (Cut cut : sample(seed)) {
        judged++;
        if (reference) {
          Path image = Files.write(directory.resolve("cut.qcow2"), cut.content());
          Process check =
              new ProcessBuilder(
                      "qemu-img",
                      "check",
                      "--image-opts",
                      "driver=qcow2,backing=,file.filename=" + image)
                  .redirectErrorStream(true)
                  .start();
          String output = new String(check.getInputStream().readAllBytes());
          int code = check.waitFor();
          boolean sound = code == 0 || code == LEAKS_ONLY || isOnlyCopiedOften(cut, output);
          assertTrue(sound, cut.name() + ":\n" + output);
        }
      }
    }
    assertTrue(judged >= SEEDS, "too few states: " + judged);
    assumeTrue(reference, "LEFT OUT: the reference's opinion (qemu-img is not installed)");
  }

  private record FilesCut(String name, Map<String, byte[]> contents) {
    byte[] image() {
      return contents.get(ToolImages.IMAGE);
    }

    /** Whether the image says itself that it has to be repaired. */
    boolean isDirty() {
      return image()[VERSION_BYTE] == 3 && (image()[DIRTY_BYTE] & 1) != 0;
    }
  }

  private static List<FilesCut> sampleUnderTools(long seed) {
    List<FilesCut> cuts = new ArrayList<>();
    int[] seen = new int[1];
    Simulation simulation = new Simulation(seed, false);
    SeededRandom random = simulation.random().fork();
    AioContext main = simulation.newLoop("main");
    ToolCrash.Observer observer =
        (name, contents) -> {
          if (seen[0]++ % EVERY_UNDER_TOOLS == 0) {
            cuts.add(new FilesCut("seed " + seed + ", " + name, contents));
          }
        };
    main.spawn("crash", () -> ToolCrash.play(main, seed, random, observer));
    assertTrue(simulation.run(10_000_000), "still busy");
    simulation.closeLoops();
    return cuts;
  }

  private record Checked(int code, String output) {}

  /** After a repair, if the image asks for one. */
  private Checked check(FilesCut cut, String password) throws Exception {
    byte[] content = cut.image();
    Path image = Files.write(directory.resolve("cut.qcow2"), content);
    String options = "driver=qcow2,backing=,file.filename=" + image;
    byte[] data = cut.contents().get(ToolImages.DATA);
    if (data != null) {
      options += ",data-file.filename=" + Files.write(directory.resolve("cut.data"), data);
    }
    if (content[ENCRYPTION_BYTE] != 0) {
      options += ",encrypt.key-secret=s";
    }
    List<String> words =
        List.of("--object", "secret,id=s,data=" + password, "--image-opts", options);
    if (cut.isDirty()) {
      check(List.of("-r", "all"), words);
    }
    return check(List.of(), words);
  }

  private static Checked check(List<String> how, List<String> what) throws Exception {
    List<String> words = new ArrayList<>(List.of("qemu-img", "check"));
    words.addAll(how);
    words.addAll(what);
    Process check = new ProcessBuilder(words).redirectErrorStream(true).start();
    String output = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Checked(check.waitFor(), output);
  }

  @Test
  void theReferenceFindsNoDamageAfterTools() throws Exception {
    boolean reference = hasReference();
    int judged = 0;
    for (long seed = 1; seed <= SEEDS_UNDER_TOOLS; seed++) {
      for (FilesCut cut : sampleUnderTools(seed)) {
        judged++;
        if (reference) {
          Checked checked = check(cut, "one");
          if (checked.output().contains("Invalid password")) {
            checked = check(cut, "two"); // the key has been replaced
          }
          String output = checked.output();
          Cut image = new Cut(cut.name(), cut.image());
          boolean sound =
              checked.code() == 0
                  || checked.code() == LEAKS_ONLY
                  || isOnlyCopiedOften(image, output);
          assertTrue(sound, cut.name() + ":\n" + output);
        }
      }
    }
    assertTrue(judged >= SEEDS_UNDER_TOOLS, "too few states: " + judged);
    assumeTrue(reference, "LEFT OUT: the reference's opinion (qemu-img is not installed)");
  }
}
