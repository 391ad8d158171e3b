package org.tinamou.conformance.sequences;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.img.ImgTool;
import org.tinamou.tools.io.IoTool;

/** Two directories with the same images: one written by us, one by the reference. */
final class Twins {
  private static final Pattern VOLATILE =
      Pattern.compile("[0-9.:]+ (sec|KiB|MiB|GiB|EiB|TiB|bytes)?.*ops/sec\\)");

  private final Path ours;
  private final Path theirs;
  private final List<String> differences = new ArrayList<>();

  private Twins(Path ours, Path theirs) {
    this.ours = ours;
    this.theirs = theirs;
  }

  /**
   * Plays a sequence on both sides.
   *
   * @param directory an empty one
   * @return what differed, in words; empty if nothing did
   */
  static List<String> play(Sequence sequence, Path directory) throws IOException {
    Twins twins =
        new Twins(
            Files.createDirectories(directory.resolve("ours")),
            Files.createDirectories(directory.resolve("theirs")));
    for (Sequence.Layer layer : sequence.layers()) {
      twins.make(layer);
      twins.change(layer);
    }
    for (Sequence.Layer layer : sequence.layers()) {
      twins.check(layer);
    }
    twins.readBack(sequence.layers().getLast());
    return twins.differences;
  }

  static void delete(Path directory) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(directory)) {
      paths = new ArrayList<>(walk.toList());
    }
    for (Path path : paths.reversed()) {
      Files.delete(path);
    }
  }

  private void make(Sequence.Layer layer) throws IOException {
    List<String> arguments = new ArrayList<>(layer.createArguments());
    // A relative name is looked up beside the overlay, but our side runs in another directory.
    int name = arguments.lastIndexOf(layer.name());
    List<String> mine = new ArrayList<>(arguments);
    mine.set(name, ours.resolve(layer.name()).toString());
    List<String> other = new ArrayList<>(arguments);
    other.set(name, theirs.resolve(layer.name()).toString());
    same("create " + layer.name(), run(true, "qemu-img", mine), run(false, "qemu-img", other));
  }

  private void change(Sequence.Layer layer) throws IOException {
    for (List<String> commands : layer.sessions()) {
      same(
          "commands on " + layer.name(),
          run(true, "qemu-io", io(layer, commands, ours)),
          run(false, "qemu-io", io(layer, commands, theirs)));
    }
  }

  private static List<String> io(Sequence.Layer layer, List<String> commands, Path side) {
    List<String> arguments = new ArrayList<>(List.of("-f", layer.format(), "-d", "unmap"));
    for (String command : commands) {
      arguments.add("-c");
      arguments.add(command);
    }
    arguments.add(side.resolve(layer.name()).toString());
    return arguments;
  }

  /** The reference finds nothing wrong with what we have written. */
  private void check(Sequence.Layer layer) throws IOException {
    if (layer.format().equals("qcow2")) {
      String image = ours.resolve(layer.name()).toString();
      String told = run(false, "qemu-img", List.of("check", "-q", image));
      if (!told.equals("exit code 0\n")) {
        differences.add("qemu-img check of our " + layer.name() + ":\n" + told);
      }
    }
  }

  /** Each side reads the other's chain into a plain file; both must be the same. */
  private void readBack(Sequence.Layer top) throws IOException {
    Path byThem = ours.resolveSibling("ours-read-by-them");
    Path byUs = ours.resolveSibling("theirs-read-by-us");
    List<String> convert = List.of("convert", "-f", top.format(), "-O", "raw");
    String one = run(false, "qemu-img", with(convert, ours.resolve(top.name()), byThem));
    String two = run(true, "qemu-img", with(convert, theirs.resolve(top.name()), byUs));
    same("reading the other's " + top.name(), two, one);
    if (Files.exists(byThem) && Files.exists(byUs)) {
      long at = Files.mismatch(byThem, byUs);
      if (at >= 0) {
        differences.add("contents differ from byte " + at);
      }
    }
    String compared =
        run(true, "qemu-img", with(List.of("compare"), ours.resolve(top.name()), byThem));
    if (!compared.equals("Images are identical.\nexit code 0\n")) {
      differences.add("our compare of our image: " + compared);
    }
  }

  private static List<String> with(List<String> arguments, Path first, Path second) {
    List<String> all = new ArrayList<>(arguments);
    all.add(first.toString());
    all.add(second.toString());
    return all;
  }

  private void same(String what, String mine, String other) {
    String left = mine.replace(ours.toString(), "DIR");
    String right = other.replace(theirs.toString(), "DIR").replace(ours.toString(), "DIR");
    if (!left.equals(right)) {
      differences.add(what + "\n--- ours\n" + left + "--- theirs\n" + right);
    }
  }

  private static String run(boolean ourTool, String program, List<String> arguments)
      throws IOException {
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    int exitCode;
    if (ourTool) {
      Tool tool = program.equals("qemu-img") ? new ImgTool() : new IoTool();
      try (PrintStream out = new PrintStream(told, true, StandardCharsets.UTF_8);
          PrintStream err = new PrintStream(errors, true, StandardCharsets.UTF_8)) {
        ByteArrayInputStream in = new ByteArrayInputStream(new byte[0]);
        exitCode = tool.run(program, arguments.toArray(new String[0]), in, out, err);
      }
    } else {
      Path errorFile = Files.createTempFile("sequences", ".err");
      List<String> words = new ArrayList<>(List.of(program));
      words.addAll(arguments);
      Process process = new ProcessBuilder(words).redirectError(errorFile.toFile()).start();
      process.getOutputStream().close();
      process.getInputStream().transferTo(told);
      try {
        exitCode = process.waitFor();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      errors.writeBytes(Files.readAllBytes(errorFile));
      Files.delete(errorFile);
    }
    String text = VOLATILE.matcher(told.toString(StandardCharsets.UTF_8)).replaceAll("TIME");
    return text + errors.toString(StandardCharsets.UTF_8) + "exit code " + exitCode + "\n";
  }
}
