package org.tinamou.conformance.sequences;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.img.ImgTool;
import org.tinamou.tools.io.IoTool;

/** Who runs a command. */
enum Side {
  OURS {
    @Override
    Result run(String program, List<String> arguments) {
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      ByteArrayOutputStream errors = new ByteArrayOutputStream();
      Tool tool = program.equals(IMG) ? new ImgTool() : new IoTool();
      PrintStream out = new PrintStream(text, false, StandardCharsets.UTF_8);
      PrintStream err = new PrintStream(errors, false, StandardCharsets.UTF_8);
      int exitCode =
          tool.run(
              program, arguments.toArray(new String[0]), InputStream.nullInputStream(), out, err);
      out.flush();
      err.flush();
      return new Result(
          text.toString(StandardCharsets.UTF_8) + errors.toString(StandardCharsets.UTF_8),
          exitCode);
    }
  },
  REFERENCE {
    @Override
    Result run(String program, List<String> arguments) throws IOException {
      List<String> words = new ArrayList<>(arguments);
      words.addFirst(program);
      Path errors = Files.createTempFile("tinamou-sequence", ".err");
      ProcessBuilder builder = new ProcessBuilder(words).redirectError(errors.toFile());
      builder.environment().put("LC_ALL", "C.UTF-8");
      Process process = builder.start();
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      try {
        int exitCode = process.waitFor();
        return new Result(text + Files.readString(errors), exitCode);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      } finally {
        Files.delete(errors);
      }
    }
  };

  static final String IMG = "qemu-img";
  static final String IO = "qemu-io";

  /** What a command printed, errors at the end, and its exit code. */
  record Result(String text, int exitCode) {}

  abstract Result run(String program, List<String> arguments) throws IOException;

  static boolean hasReference() {
    return Files.isExecutable(Path.of("/usr/bin/qemu-img"))
        && Files.isExecutable(Path.of("/usr/bin/qemu-io"));
  }
}
