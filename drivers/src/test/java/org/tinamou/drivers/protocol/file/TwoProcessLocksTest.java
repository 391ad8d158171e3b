package org.tinamou.drivers.protocol.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.drivers.TestDisk;

/** A process of ours and one of the reference's on one image. */
@DisplayName("V6 locks between processes")
class TwoProcessLocksTest {
  @TempDir Path directory;
  private Path image;

  @BeforeEach
  void makeImage() throws IOException {
    boolean installed = Files.isExecutable(Path.of("/usr/bin/qemu-storage-daemon"));
    if (!installed) {
      assertFalse(Boolean.getBoolean("tinamou.peers.required"), "the reference is not installed");
      System.out.println("LEFT OUT: locks between processes (qemu-storage-daemon not installed)");
      assumeTrue(false, "qemu-storage-daemon is not installed");
    }
    image = Files.write(directory.resolve("image"), new byte[1 << 20]);
  }

  /** Starts a process and waits until its output contains a word. */
  private static Process start(String ready, List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    StringBuilder seen = new StringBuilder();
    while (seen.indexOf(ready) < 0) {
      int next = out.read();
      assertFalse(next < 0, () -> command + " ended: " + seen);
      seen.append((char) next);
    }
    return process;
  }

  private Process startDaemon() throws IOException {
    return start(
        "QMP",
        List.of(
            "qemu-storage-daemon",
            "--chardev",
            "stdio,id=c",
            "--blockdev",
            "driver=file,node-name=disk,filename=" + image,
            "--nbd-server",
            "addr.type=unix,addr.path=" + directory.resolve("socket"),
            "--export",
            "type=nbd,id=export,node-name=disk,writable=on",
            "--monitor",
            "chardev=c"));
  }

  private Process startOurs() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("--add-opens", "java.base/java.lang=ALL-UNNAMED", "-cp"));
    command.add(
        String.join(
            File.pathSeparator,
            System.getProperty("java.class.path"),
            System.getProperty("jdk.module.path", ""),
            Path.of("target", "test-classes").toAbsolutePath().toString()));
    command.addAll(List.of(HoldImage.class.getName(), image.toString()));
    return start("held", command);
  }

  private String runReference(String command) throws Exception {
    Process process =
        new ProcessBuilder("qemu-io", "-f", "raw", "-c", command, image.toString())
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return out;
  }

  private TestDisk open(AioContext context, int used, int shared) throws BlockException {
    return TestDisk.open(
        context, "driver=file,filename=" + image, NodeOptions.READ_WRITE, used, shared);
  }

  private void assertRefused(AioContext context, String message, int used, int shared) {
    BlockException refused =
        assertThrows(BlockException.class, () -> open(context, used, shared).close());
    assertEquals(message, refused.getMessage());
    List<String> hint = String.valueOf(refused.hint()).lines().toList();
    assertEquals("Is another process using the image [" + image + "]?", hint.getFirst());
    assertTrue(hint.size() == 2 && hint.get(1).contains("qemu-storage"), hint::toString);
  }

  @Test
  void whatTheDaemonUsesAndDoesNotShareIsRespectedUntilItIsKilled() throws Exception {
    Process daemon = startDaemon();
    int read = Permission.CONSISTENT_READ;
    int notWrite = Permission.ALL & ~Permission.WRITE;
    try {
      OnLoop.run(
          context -> {
            assertRefused(context, "Failed to get shared \"write\" lock", read, notWrite);
            assertRefused(
                context, "Failed to get \"resize\" lock", Permission.RESIZE, Permission.ALL);
            open(context, read | Permission.WRITE, Permission.ALL).close();
          });
    } finally {
      daemon.destroyForcibly().waitFor();
    }
    OnLoop.run(context -> open(context, read | Permission.RESIZE, notWrite).close());
  }

  @Test
  void whatWeDoNotShareIsRespectedUntilWeAreKilled() throws Exception {
    Process ours = startOurs();
    String refusal =
        "qemu-io: can't open device "
            + image
            + ": Failed to get \"write\" lock\nIs another process using the image ["
            + image
            + "]?\n";
    try {
      assertEquals(refusal, runReference("length"));
    } finally {
      ours.destroyForcibly().waitFor();
    }
    assertEquals("1 MiB\n", runReference("length"));
  }

  @Test
  void openingAndClosingElsewhereInTheProcessDropsNothing() throws Exception {
    OnLoop.run(
        context -> {
          int notWrite = Permission.ALL & ~Permission.WRITE;
          TestDisk disk = open(context, Permission.CONSISTENT_READ, notWrite);
          open(context, Permission.CONSISTENT_READ, Permission.ALL).close();
          Files.readAllBytes(image);
          String out = context.callBlocking(() -> runReference("length"));
          assertEquals(true, out.contains("Failed to get \"write\" lock"), out);
          disk.close();
          assertEquals("1 MiB\n", context.callBlocking(() -> runReference("length")));
        });
  }
}
