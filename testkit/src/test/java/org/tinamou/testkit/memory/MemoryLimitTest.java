package org.tinamou.testkit.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.testkit.mutant.ClassPath;

/** Requests give their memory back by themselves, not when a collector happens to run. */
final class MemoryLimitTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "EPOLL"})
  void v5_aMillionRequestsOfOneMebibyteFitIntoSixtyFour(PollerKind kind) throws Exception {
    Path file = Files.write(folder.resolve("file"), new byte[2 << 20]);
    Path output = folder.resolve("output");
    String classes = Path.of("target", "test-classes") + File.pathSeparator + ClassPath.ofThisJvm();
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx64m",
                    "-XX:MaxDirectMemorySize=64m",
                    // The JDK would ask the collector for help before it says that memory is out.
                    "-XX:+DisableExplicitGC",
                    "-XX:+UseSerialGC",
                    "--enable-native-access=ALL-UNNAMED",
                    "--add-opens=java.base/java.lang=ALL-UNNAMED",
                    "-cp",
                    classes,
                    ManyRequests.class.getName(),
                    kind.name(),
                    file.toString()))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int code = process.waitFor();
    assertEquals("all requests done\n", Files.readString(output));
    assertEquals(0, code);
  }
}
