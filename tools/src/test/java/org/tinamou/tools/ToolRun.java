package org.tinamou.tools;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.img.ImgTool;
import org.tinamou.tools.io.IoTool;

/** One run of a tool inside the test's JVM. */
public record ToolRun(int exitCode, String out, String err) {
  public static ToolRun img(String... arguments) {
    return run(new ImgTool(), "tinamou-img", "", arguments);
  }

  public static ToolRun io(String... arguments) {
    return run(new IoTool(), "tinamou-io", "", arguments);
  }

  public static ToolRun run(Tool tool, String program, String input, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exitCode =
        tool.run(
            program,
            arguments,
            new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, false, StandardCharsets.UTF_8));
    return new ToolRun(
        exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
