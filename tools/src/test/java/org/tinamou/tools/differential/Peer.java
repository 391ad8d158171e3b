package org.tinamou.tools.differential;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.img.ImgTool;
import org.tinamou.tools.io.IoTool;

/** Runs a command line by our tools, in this JVM, or by the reference's, in a process. */
final class Peer {
  /** What a command left behind. */
  record Result(String out, String err, int exitCode) {}

  private Peer() {}

  static boolean isInstalled() {
    return Files.isExecutable(Path.of("/usr/bin/qemu-img"))
        && Files.isExecutable(Path.of("/usr/bin/qemu-io"));
  }

  /** Runs our tool. */
  static Result ours(CommandLine line) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Tool tool = line.program().equals("qemu-img") ? new ImgTool() : new IoTool();
    int exitCode =
        tool.run(
            line.program(),
            line.arguments().toArray(new String[0]),
            new ByteArrayInputStream(line.input().getBytes(StandardCharsets.UTF_8)),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, false, StandardCharsets.UTF_8));
    return new Result(
        out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8), exitCode);
  }

  /** Runs the reference's tool. */
  static Result reference(CommandLine line, Path scratch) throws IOException {
    List<String> words = new ArrayList<>();
    words.add(line.program());
    words.addAll(line.arguments());
    Path in = Files.writeString(scratch.resolve("in"), line.input());
    Path out = scratch.resolve("out");
    Path err = scratch.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("LC_ALL", "C.UTF-8");
    builder.environment().remove("POSIXLY_CORRECT");
    try {
      int exitCode = builder.start().waitFor();
      return new Result(Files.readString(out), Files.readString(err), exitCode);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
