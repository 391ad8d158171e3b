package org.tinamou.conformance.sequences;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Plays a sequence three times: by our tools, by the reference's, and by both in turn, session by
 * session. What each of them prints must be the same, whoever reads the images must find the same
 * in all of them, and the reference must find nothing wrong with any.
 */
public final class SequenceRun {
  private static final String DAMAGED = "Marking image as corrupt";

  /** Said by the reference where a part of a packed cluster would have to become zero. */
  private static final String UNABLE = "Failed to zero out new clusters: Operation not supported";

  private static final String TIMING = " ops; ";

  private final Path directory;
  private final Sequence sequence;
  private final List<String> differences = new ArrayList<>();
  private String referenceFailure = "";

  private SequenceRun(Path directory, long seed) {
    this.directory = directory;
    this.sequence = Sequence.ofSeed(seed);
  }

  public static boolean hasReference() {
    return Side.hasReference();
  }

  /**
   * What came out.
   *
   * @param differences in words; empty if there was none
   * @param referenceFailure in words, what the reference failed to do, so that there is nothing to
   *     compare with; empty if it did not fail
   */
  public record Outcome(List<String> differences, String referenceFailure) {}

  /**
   * Plays the sequence of a seed.
   *
   * @param directory an empty directory, where the images stay
   */
  public static Outcome play(Path directory, long seed) throws IOException {
    SequenceRun run = new SequenceRun(directory, seed);
    run.playAll();
    if (!run.differences.isEmpty()) {
      run.sequence.layers().forEach(layer -> run.differences.addFirst("layer: " + layer));
    }
    return new Outcome(List.copyOf(run.differences), run.referenceFailure);
  }

  private void playAll() throws IOException {
    List<String> reference = play("reference", _ -> Side.REFERENCE);
    check("reference");
    reference.stream().filter(text -> text.contains(DAMAGED)).forEach(differences::add);
    if (!differences.isEmpty()) {
      referenceFailure = "the reference damaged its own image: " + String.join("\n", differences);
      differences.clear();
      return;
    }
    List<String> ours = play("ours", _ -> Side.OURS);
    for (int index = 0; index < ours.size(); index++) {
      if (reference.get(index).contains(UNABLE) && !ours.get(index).contains(UNABLE)) {
        differences.clear();
        // It goes another way from here.
        referenceFailure = "the reference could not grow the disk: " + reference.get(index);
        return;
      }
    }
    for (int index = 0; index < ours.size(); index++) {
      expect(reference.get(index), ours.get(index), "what was printed");
    }
    play("both", session -> session % 2 == 0 ? Side.OURS : Side.REFERENCE);
    check("ours");
    check("both");
    byte[] expected = content("reference", Side.REFERENCE);
    for (String name : List.of("ours", "reference", "both")) {
      for (Side side : Side.values()) {
        byte[] found = content(name, side);
        int at = Arrays.mismatch(expected, found);
        if (at >= 0) {
          differences.add(
              "'%s' as %s reads it differs from byte %d on (%d and %d bytes)"
                  .formatted(name, side, at, expected.length, found.length));
        }
      }
    }
    for (Side side : Side.values()) {
      Side.Result result =
          side.run(Side.IMG, List.of("compare", image("ours", top()), image("reference", top())));
      expect("Images are identical.\n", result.text(), side + " compares");
    }
  }

  private int top() {
    return sequence.layers().size() - 1;
  }

  private String image(String name, int layer) {
    return directory.resolve(name + "." + layer).toString();
  }

  /** Returns what was printed, command by command. */
  private List<String> play(String name, IntFunction<Side> sides) throws IOException {
    List<String> printed = new ArrayList<>();
    int session = 0;
    for (int index = 0; index <= top(); index++) {
      Sequence.Layer layer = sequence.layers().get(index);
      printed.add(create(name, index, layer, sides.apply(session++)));
      for (List<String> commands : layer.sessions()) {
        if (!commands.isEmpty() && commands.getFirst().equals(Sequence.IMG)) {
          printed.add(tool(commands, image(name, index), name, sides.apply(session++)));
          continue;
        }
        List<String> arguments = new ArrayList<>(List.of("-d", "unmap", "-f", layer.format()));
        for (String command : commands) {
          arguments.add("-c");
          arguments.add(command);
        }
        arguments.add(image(name, index));
        Side.Result result = sides.apply(session++).run(Side.IO, arguments);
        printed.add(commands + "\n" + comparable(name, result));
      }
    }
    return printed;
  }

  private static String tool(List<String> commands, String image, String name, Side side)
      throws IOException {
    List<String> arguments = new ArrayList<>(commands.subList(1, commands.size()));
    boolean named = arguments.getFirst().equals("bitmap");
    arguments.add(named ? arguments.size() - 1 : arguments.size(), image);
    return commands + "\n" + comparable(name, side.run(Side.IMG, arguments));
  }

  private String create(String name, int index, Sequence.Layer layer, Side side)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of("create", "-q", "-f", layer.format()));
    if (!layer.options().isEmpty()) {
      String data = image(name, index) + ".data";
      arguments.addAll(List.of("-o", layer.options().replace(Sequence.DATA_FILE, data)));
    }
    if (index > 0) {
      String below = sequence.layers().get(index - 1).format();
      arguments.addAll(List.of("-b", image(name, index - 1), "-F", below));
    }
    arguments.addAll(List.of(image(name, index), Long.toString(layer.sizeBytes())));
    return layer.options() + "\n" + comparable(name, side.run(Side.IMG, arguments));
  }

  /** Without names of files and without times. */
  private static String comparable(String name, Side.Result result) {
    StringBuilder text = new StringBuilder();
    result
        .text()
        .lines()
        .filter(line -> !line.contains(TIMING))
        .forEach(line -> text.append(line.replace(name, "IMAGE")).append('\n'));
    return text.append("exit code ").append(result.exitCode()).toString();
  }

  private void check(String name) throws IOException {
    for (int index = 0; index <= top(); index++) {
      if (sequence.layers().get(index).format().equals("raw")) {
        continue;
      }
      Side.Result result =
          Side.REFERENCE.run(Side.IMG, List.of("check", "-f", "qcow2", image(name, index)));
      if (result.exitCode() != 0) {
        differences.add("check of " + image(name, index) + ":\n" + result.text());
      }
    }
  }

  /** All that the image shows. */
  private byte[] content(String name, Side side) throws IOException {
    Path raw = directory.resolve("content");
    Side.Result result =
        side.run(
            Side.IMG,
            List.of("convert", "-f", "qcow2", "-O", "raw", image(name, top()), raw.toString()));
    expect("", result.text(), side + " converts");
    byte[] bytes = Files.readAllBytes(raw);
    Files.delete(raw);
    return bytes;
  }

  private void expect(String expected, String found, String what) {
    if (!expected.equals(found)) {
      differences.add(what + ": expected\n" + expected + "\nfound\n" + found);
    }
  }
}
