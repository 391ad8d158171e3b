package org.tinamou.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's program is what it says: it compiles, runs and prints what a reader expects. */
class ReadmeExampleTest {
  @TempDir Path directory;

  private static String example() throws Exception {
    String readme = Files.readString(Path.of("..", "README.md"));
    int start = readme.indexOf("```java\n");
    assertTrue(start >= 0, "the README has no Java program");
    return readme.substring(start + "```java\n".length(), readme.indexOf("```", start + 3));
  }

  @Test
  void runs() throws Exception {
    Path source = Files.writeString(directory.resolve("Example.java"), example());
    Path image = directory.resolve("disk.img");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(1 << 20);
    }
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--module-path",
                    System.getProperty("jdk.module.path"),
                    "--add-modules",
                    "org.tinamou.api",
                    "--enable-native-access=org.tinamou.host",
                    "--add-opens",
                    "java.base/java.lang=org.tinamou.aio",
                    source.toString(),
                    image.toString()))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), output);
    List<String> lines = output.lines().toList();
    assertEquals("raw disk of 1048576 bytes", lines.get(0));
    assertEquals("hello", lines.get(1));
    assertEquals(
        List.of("DATA from 4096"), lines.stream().filter(l -> l.startsWith("DATA")).toList());
  }
}
