package org.tinamou.conformance.sequences;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Makes an image with some combination of features by our tools, and another one by the
 * reference's; then each reads and checks both, changes the other's, and both check again.
 */
final class FeatureRun {
  private static final String SECRET = "secret,id=secret0,data=tinamou";
  private static final String TIMING = " ops; ";

  private final Path directory;
  private final FeatureCase wanted;
  private final List<String> differences = new ArrayList<>();

  /** What the images show. */
  private final Map<Side, byte[]> contents = new EnumMap<>(Side.class);

  private FeatureRun(Path directory, long seed) {
    this.directory = directory;
    this.wanted = FeatureCase.ofSeed(seed);
  }

  /**
   * Plays the combination of a seed.
   *
   * @param directory an empty directory, where the images stay
   */
  static SequenceRun.Outcome play(Path directory, long seed) throws IOException {
    FeatureRun run = new FeatureRun(directory, seed);
    run.playAll();
    if (!run.differences.isEmpty()) {
      run.differences.addFirst(run.wanted.toString());
    }
    return new SequenceRun.Outcome(List.copyOf(run.differences), "");
  }

  private void playAll() throws IOException {
    List<String> printed = make(Side.REFERENCE);
    List<String> ours = make(Side.OURS);
    for (int i = 0; i < printed.size(); i++) {
      expect(printed.get(i), ours.get(i), "what was printed");
    }
    compareReaders();
    compareSnapshots();
    List<String> change = List.of("write -P 77 0 512");
    for (Side writer : Side.values()) {
      Side other = writer == Side.OURS ? Side.REFERENCE : Side.OURS;
      expectNothing(other.run(Side.IO, requests(writer, change)), other + " changes " + writer);
    }
    contents
        .values()
        .forEach(bytes -> Arrays.fill(bytes, 0, Math.min(bytes.length, 512), (byte) 77));
    compareReaders();
  }

  private String image(Side writer) {
    return directory.resolve(writer.name()).toString();
  }

  /** The options that open an image, after what they need. */
  private List<String> opening(Side writer) {
    String options = "driver=qcow2,file.filename=" + image(writer);
    if (wanted.encryption().isEmpty()) {
      return List.of("--image-opts", options);
    }
    return List.of("--object", SECRET, "--image-opts", options + ",encrypt.key-secret=secret0");
  }

  private static List<String> words(List<String> first, List<String> second, String... third) {
    List<String> all = new ArrayList<>(first);
    all.addAll(second);
    all.addAll(List.of(third));
    return all;
  }

  private List<String> requests(Side writer, List<String> commands) {
    List<String> arguments = new ArrayList<>(List.of("-d", "unmap"));
    for (String command : commands) {
      arguments.addAll(List.of("-c", command));
    }
    List<String> opening = opening(writer);
    arguments.addAll(opening);
    return arguments;
  }

  /** Returns what was printed, step by step. */
  private List<String> make(Side side) throws IOException {
    List<String> printed = new ArrayList<>();
    List<String> create = new ArrayList<>(List.of("create", "-q", "-f", "qcow2"));
    StringBuilder options = new StringBuilder(wanted.options());
    if (wanted.external()) {
      options.append(",data_file=").append(image(side)).append(".data");
    }
    if (!wanted.encryption().isEmpty()) {
      create.addAll(List.of("--object", SECRET));
      options.append(",encrypt.key-secret=secret0,encrypt.format=").append(wanted.encryption());
      options.append(wanted.encryption().equals("luks") ? ",encrypt.iter-time=10" : "");
    }
    create.addAll(List.of("-o", options.toString()));
    String below = image(side) + ".below";
    if (!wanted.belowFormat().isEmpty()) {
      String size = Long.toString(wanted.sizeBytes());
      String format = wanted.belowFormat();
      printed.add(
          comparable(side, side.run(Side.IMG, List.of("create", "-q", "-f", format, below, size))));
      List<String> fill = List.of("-f", format, "-c", "write -P 9 0 " + size, below);
      printed.add(comparable(side, side.run(Side.IO, fill)));
      create.addAll(List.of("-b", below, "-F", format));
    }
    create.addAll(List.of(image(side), Long.toString(wanted.sizeBytes())));
    printed.add(comparable(side, side.run(Side.IMG, create)));
    for (List<String> step : wanted.steps()) {
      printed.add(step + "\n" + comparable(side, run(step, side)));
    }
    return printed;
  }

  private Side.Result run(List<String> step, Side side) throws IOException {
    List<String> rest = step.subList(1, step.size());
    if (step.getFirst().equals(FeatureCase.IO)) {
      return side.run(Side.IO, requests(side, rest));
    }
    List<String> opening = opening(side);
    List<String> before = new ArrayList<>(List.of(step.getFirst()));
    if (step.getFirst().equals("resize")) {
      return side.run(Side.IMG, words(before, words(List.of("-q"), opening), rest.getLast()));
    }
    if (step.getFirst().equals("bitmap")) {
      before.addAll(rest.subList(0, rest.size() - 1));
      return side.run(Side.IMG, words(before, opening, rest.getLast()));
    }
    before.addAll(rest);
    return side.run(Side.IMG, words(before, opening));
  }

  /** Has both read both images: the same content, nothing wrong, the same told of each. */
  private void compareReaders() throws IOException {
    for (Side writer : Side.values()) {
      List<String> told = new ArrayList<>();
      for (Side reader : Side.values()) {
        byte[] content = content(writer, reader, List.of());
        byte[] expected = contents.computeIfAbsent(sameContentAs(writer), _ -> content);
        int at = Arrays.mismatch(expected, content);
        if (at >= 0) {
          differences.add(
              "'%s' as %s reads it differs from byte %d on (%d and %d bytes)"
                  .formatted(writer, reader, at, expected.length, content.length));
        }
        Side.Result check = reader.run(Side.IMG, words(List.of("check"), opening(writer)));
        if (check.exitCode() != 0) {
          differences.add(reader + " checks " + writer + ": " + check.text());
        }
        List<String> json = List.of("--output=json");
        told.add(
            check.text()
                + reader.run(Side.IMG, words(words(List.of("info"), json), opening(writer))).text()
                + reader.run(Side.IMG, words(words(List.of("map"), json), opening(writer))).text());
      }
      expect(told.getLast(), told.getFirst(), "what both tell of " + writer);
    }
  }

  /**
   * Whose image shows the same. What nobody has written to an encrypted raw data file is read as
   * what a key makes of zeroes, and each image has a key of its own.
   */
  private Side sameContentAs(Side writer) {
    boolean byKey = !wanted.encryption().isEmpty() && wanted.options().contains("data_file_raw=on");
    return byKey ? writer : Side.OURS;
  }

  private void compareSnapshots() throws IOException {
    for (List<String> step : wanted.steps()) {
      if (!step.getFirst().equals("snapshot") || !step.contains("-c")) {
        continue;
      }
      String name = step.getLast();
      if (wanted.steps().contains(List.of("snapshot", "-d", name))) {
        continue;
      }
      byte[] expected = content(Side.REFERENCE, Side.REFERENCE, List.of("-l", name));
      for (Side writer : Side.values()) {
        for (Side reader : Side.values()) {
          if (!Arrays.equals(expected, content(writer, reader, List.of("-l", name)))) {
            differences.add("%s of %s as %s reads it differs".formatted(name, writer, reader));
          }
        }
      }
    }
  }

  private byte[] content(Side writer, Side reader, List<String> options) throws IOException {
    Path raw = directory.resolve("content");
    List<String> first = words(List.of("convert", "-O", "raw"), options);
    Side.Result result = reader.run(Side.IMG, words(first, opening(writer), raw.toString()));
    expectNothing(result, reader + " converts " + writer);
    byte[] bytes = Files.exists(raw) ? Files.readAllBytes(raw) : new byte[0];
    Files.deleteIfExists(raw);
    return bytes;
  }

  /** Without names of files and without times. */
  private static String comparable(Side side, Side.Result result) {
    StringBuilder text = new StringBuilder();
    result
        .text()
        .lines()
        .filter(line -> !line.contains(TIMING))
        .forEach(line -> text.append(line.replace(side.name(), "IMAGE")).append('\n'));
    return text.append("exit code ").append(result.exitCode()).toString();
  }

  private void expectNothing(Side.Result result, String what) {
    boolean quiet = result.text().lines().allMatch(line -> line.contains("bytes"));
    if (result.exitCode() != 0 || !quiet) {
      boolean onlyTimes = result.exitCode() == 0 && result.text().contains(TIMING);
      if (!onlyTimes) {
        differences.add(what + ": " + result.text());
      }
    }
  }

  private void expect(String expected, String found, String what) {
    if (!expected.equals(found)) {
      differences.add(what + ": expected\n" + expected + "\nfound\n" + found);
    }
  }
}
