package org.tinamou.conformance.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The storage daemon is told to end while jobs of every kind work, wait and rest. */
@Timeout(120)
class DaemonStopDistTest {
  private static final Path TOOLS =
      Path.of("..").toAbsolutePath().normalize().resolve("dist/compat");
  private static final List<String> IMAGES =
      List.of("s0", "t0", "s1", "t1", "s2", "t2", "s3", "t3", "s4", "o4", "s5", "o5");
  private static final int IMAGE_BYTES = 8 << 20;
  private static final int MOST_SECONDS = 5;

  @TempDir Path directory;

  /** Speaks a command and reads up to its answer. */
  private static void command(Writer to, BufferedReader from, String text) throws IOException {
    to.write(text.replace('\'', '"') + "\n");
    to.flush();
    String line;
    do {
      line = from.readLine();
      assertTrue(line != null, () -> "no answer to " + text);
    } while (!line.startsWith("{\"return\"") && !line.startsWith("{\"error\""));
    String answer = line;
    assertTrue(answer.startsWith("{\"return\""), () -> text + ": " + answer);
  }

  private static void execute(Writer to, BufferedReader from, String name, String arguments)
      throws IOException {
    command(to, from, "{'execute': '%s', 'arguments': {%s}}".formatted(name, arguments));
  }

  private void startJobs(Writer to, BufferedReader from) throws IOException {
    command(to, from, "{'execute': 'qmp_capabilities'}");
    execute(to, from, "object-add", "'qom-type': 'iothread', 'id': 'io0'");
    execute(
        to,
        from,
        "nbd-server-start",
        "'addr': {'type': 'unix', 'data': {'path': '%s/nbd'}}".formatted(directory));
    for (String image : IMAGES) {
      String backing = image.startsWith("o") ? "'s" + image.substring(1) + "'" : "null";
      execute(
          to,
          from,
          "blockdev-add",
          "'driver': 'qcow2', 'node-name': '%s', 'backing': %s, 'file': {'driver': 'file', 'filename': '%s/%1$s'}"
              .formatted(image, backing, directory));
    }
    execute(
        to,
        from,
        "block-export-add",
        "'type': 'nbd', 'id': 'e', 'node-name': 's0', 'writable': true, 'iothread': 'io0'");
    String pair = "'job-id': 'j%d', 'device': 's%1$d', 'target': 't%1$d', 'sync': 'full'";
    execute(to, from, "blockdev-mirror", pair.formatted(0)); // gets ready
    execute(to, from, "blockdev-mirror", pair.formatted(1) + ", 'speed': 65536");
    execute(to, from, "blockdev-backup", pair.formatted(2) + ", 'speed': 65536");
    execute(to, from, "blockdev-backup", pair.formatted(3) + ", 'auto-finalize': false");
    execute(to, from, "block-commit", "'job-id': 'j4', 'device': 'o4', 'speed': 65536");
    execute(to, from, "block-stream", "'job-id': 'j5', 'device': 'o5', 'speed': 65536");
    execute(to, from, "job-pause", "'id': 'j1'");
  }

  /** Jobs whose targets are shown by a server that then answers no more; returns its process. */
  private long startSilentJobs(Writer to, BufferedReader from) throws Exception {
    Path pidFile = directory.resolve("pid");
    Files.write(directory.resolve("silent.raw"), new byte[IMAGE_BYTES]);
    // The server keeps the standard error, so nobody can wait for the end of that.
    Process server =
        new ProcessBuilder(
                TOOLS.resolve("qemu-nbd").toString(),
                "--fork",
                "-t",
                "-e",
                "2",
                "-f",
                "raw",
                "--pid-file",
                pidFile.toString(),
                "-k",
                directory.resolve("silent").toString(),
                directory.resolve("silent.raw").toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("server").toFile())
            .start();
    assertEquals(0, server.waitFor(), () -> read("server"));
    long pid = Long.parseLong(Files.readString(pidFile).strip());
    for (int i = 0; i < 2; i++) {
      execute(
          to,
          from,
          "blockdev-add",
          "'driver': 'nbd', 'node-name': 'silent%d', 'reconnect-delay': 1000, 'server': {'type': 'unix', 'path': '%s/silent'}"
              .formatted(i, directory));
    }
    Program.run(directory, Map.of(), "kill", "-STOP", pid);
    execute(to, from, "blockdev-add", "'driver': 'null-co', 'node-name': 'n0', 'size': 8388608");
    execute(to, from, "blockdev-add", "'driver': 'null-co', 'node-name': 'n1', 'size': 8388608");
    String pair = "'job-id': 'silent%d', 'device': 'n%1$d', 'target': 'silent%1$d', 'sync': 'full'";
    execute(to, from, "blockdev-mirror", pair.formatted(0));
    execute(to, from, "blockdev-backup", pair.formatted(1));
    // Nobody greets this one, so there is no answer.
    String late = "'driver': 'nbd', 'node-name': 'late', 'server': {'type': 'unix', 'path': '%s'}";
    to.write(
        "{'execute': 'blockdev-add', 'arguments': {%s}}\n"
            .formatted(late.formatted(directory.resolve("silent"))));
    to.flush();
    return pid;
  }

  @Test
  void endsInTimeWithEveryKindOfJob() throws Exception {
    Path data = directory.resolve("data");
    byte[] content = new byte[IMAGE_BYTES];
    java.util.Arrays.fill(content, (byte) 7);
    Files.write(data, content);
    for (String image : IMAGES) {
      Object[] make =
          image.startsWith("s")
              ? new Object[] {"convert", "-f", "raw", "-O", "qcow2", data, image}
              : new Object[] {"create", "-f", "qcow2", image, IMAGE_BYTES};
      Object[] words = new Object[make.length + 1];
      words[0] = TOOLS.resolve("qemu-img");
      System.arraycopy(make, 0, words, 1, make.length);
      assertEquals(0, Program.run(directory, Map.of(), words).exitCode(), image);
    }
    Path monitor = directory.resolve("monitor");
    Process daemon =
        new ProcessBuilder(
                TOOLS.resolve("qemu-storage-daemon").toString(),
                "--chardev",
                "stdio,id=c",
                "--monitor",
                "c",
                "--chardev",
                "socket,id=d,server=on,wait=off,path=" + monitor,
                "--monitor",
                "d")
            .redirectError(directory.resolve("errors").toFile())
            .start();
    long silent = 0;
    try (Writer to = daemon.outputWriter();
        BufferedReader from = daemon.inputReader()) {
      from.readLine(); // the greeting
      startJobs(to, from);
      silent = startSilentJobs(to, from);
      daemon.destroy(); // SIGTERM
      assertTrue(
          daemon.waitFor(MOST_SECONDS, TimeUnit.SECONDS), "works on after " + MOST_SECONDS + " s");
    } finally {
      daemon.destroyForcibly();
      if (silent != 0) {
        Program.run(directory, Map.of(), "kill", "-KILL", silent);
      }
    }
    assertEquals(0, daemon.exitValue(), () -> read("errors"));
    assertEquals("", read("errors"));
    assertFalse(Files.exists(directory.resolve("nbd")), "the NBD socket is left behind");
    assertFalse(Files.exists(monitor), "the monitor's socket is left behind");
    for (String image : IMAGES) {
      Program check = Program.run(directory, Map.of(), TOOLS.resolve("qemu-img"), "check", image);
      assertEquals(0, check.exitCode(), () -> image + ": " + check.output());
    }
  }

  private String read(String file) {
    try {
      return Files.readString(directory.resolve(file));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
