package org.tinamou.conformance.launch;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What a program printed and how it ended.
 *
 * @param output its standard output and standard error, as they came
 */
record Program(int exitCode, String output) {
  /** Runs a program in a directory, with changes to the environment, until it ends. */
  static Program run(Path directory, Map<String, String> environment, Object... command)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(List.of(command).stream().map(Object::toString).toList())
            .directory(directory.toFile())
            .redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Program(process.waitFor(), output);
  }
}
