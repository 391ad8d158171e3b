package org.tinamou.tools.differential;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** Runs a script on one side and writes down everything that can be compared. */
final class ScriptRun {
  private static final int SMALLEST_QCOW2_BYTES = 512;

  private ScriptRun() {}

  /**
   * A transcript: each command with what it printed, then each file with its content's digest and
   * where it has data.
   */
  static List<String> transcript(List<String> lines, Path root, boolean reference)
      throws IOException {
    Path directory = root.resolve("dir");
    deleteTree(directory);
    Files.createDirectories(directory.resolve("d"));
    Files.writeString(directory.resolve("odd"), "abc");
    Files.writeString(directory.resolve("pat"), "hello world");
    Files.writeString(directory.resolve("empty"), "");
    Files.write(
        directory.resolve("hdr"), "QFI\u00fb\0\0\0\2".getBytes(StandardCharsets.ISO_8859_1));
    List<String> transcript = new ArrayList<>();
    for (String line : lines) {
      CommandLine command = CommandLine.parse(line, directory);
      Peer.Result result = reference ? Peer.reference(command, root) : Peer.ours(command);
      transcript.add("$ " + line);
      transcript.add("exit code " + result.exitCode());
      Normalized.lines(result.out()).forEach(each -> transcript.add("out: " + each));
      Normalized.lines(result.err()).forEach(each -> transcript.add("err: " + each));
    }
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        if (isQcow2(file)) {
          transcript.add("file " + file.getFileName() + " " + contentOf(file, root));
          continue;
        }
        transcript.add("file " + file.getFileName() + " " + describe(file));
        CommandLine map =
            CommandLine.parse("img map -f raw --output=json '" + file + "'", directory);
        transcript.add(Peer.reference(map, root).out());
      }
    }
    return transcript;
  }

  private static boolean isQcow2(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return Arrays.equals(in.readNBytes(5), new byte[] {'Q', 'F', 'I', (byte) 0xfb, 0})
          && Files.size(file) > SMALLEST_QCOW2_BYTES;
    }
  }

  /** What the reference reads from an image, and whether it finds it sound. */
  private static String contentOf(Path file, Path root) throws IOException {
    Path raw = root.resolve("content");
    CommandLine check = CommandLine.parse("img check -q '" + file + "'", root);
    String sound = "check says " + Peer.reference(check, root).exitCode();
    CommandLine info = CommandLine.parse("img info '" + file + "'", root);
    if (Peer.reference(info, root).out().matches("(?s).*virtual size: [0-9.e+]+ [GTPE]iB.*")) {
      return sound;
    }
    CommandLine convert =
        CommandLine.parse("img convert -O raw '" + file + "' '" + raw + "'", root);
    return Peer.reference(convert, root).exitCode() == 0
        ? sound + ", " + describe(raw)
        : sound + ", unreadable";
  }

  private static String describe(Path file) throws IOException {
    if (Files.size(file) > 64 << 20) {
      return Files.size(file) + " bytes";
    }
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return Files.size(file)
          + " bytes "
          + HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file)));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static void deleteTree(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> all = Files.walk(directory)) {
      all.sorted(Comparator.reverseOrder())
          .forEach(
              path -> {
                try {
                  Files.delete(path);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }
}
