package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;
import org.tinamou.tools.nbd.Programs;

/** Descriptors that come with what people type are taken, kept and closed as by the reference. */
final class HumanDescriptorsTest {
  /** A line that ends with an @ goes with a descriptor. */
  private static final List<String> LINES =
      List.of(
          "getfd a@",
          "closefd a",
          "closefd a",
          "getfd 1a@",
          "getfd b",
          "getfd b@",
          "getfd b@",
          "getfd@",
          "info status@",
          "getfd c",
          "getfd d e@",
          "closefd \"b\"",
          "closefd c",
          "help getfd",
          "help closefd",
          "quit");

  private static final String CLIENT =
      """
      import socket, sys
      server = socket.socket(socket.AF_UNIX)
      server.bind(sys.argv[1])
      server.listen()
      print('ready', flush=True)
      monitor, _ = server.accept()
      def told():
          text = b''
          while not text.endswith(b'(qemu) '):
              more = monitor.recv(4096)
              if not more: break
              text += more
          return text
      told()
      for line in sys.argv[2:]:
          socket.send_fds(monitor, [line.rstrip('@').encode() + b'\\n'], [0] if '@' in line else [])
          print(line, told().split(b'\\x1b[K')[-1])
      """;

  @TempDir private Path folder;

  /** Runs a machine. */
  @FunctionalInterface
  private interface Machine {
    void run(String... words) throws Exception;
  }

  private String talk(String name, Machine machine) throws Exception {
    Path socket = folder.resolve(name);
    List<String> command = new ArrayList<>(List.of("python3", "-c", CLIENT, socket.toString()));
    command.addAll(LINES);
    Process client = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (BufferedReader output = client.inputReader(StandardCharsets.UTF_8)) {
      assertEquals("ready", output.readLine());
      machine.run(
          "-machine", "none", "-nodefaults", "-display", "none", "-monitor", "unix:" + socket);
      String told = String.join("\n", output.lines().toList());
      assertTrue(client.waitFor(30, TimeUnit.SECONDS), "the client does not end");
      return told;
    } finally {
      client.destroyForcibly();
    }
  }

  @Test
  void theyAreThoseOfTheReference() throws Exception {
    Programs.require("python3");
    Programs.require(MachineTalk.PROGRAM);
    String theirs =
        talk(
            "theirs",
            words -> {
              List<String> command = new ArrayList<>(List.of(MachineTalk.PROGRAM));
              command.addAll(List.of(words));
              Process process =
                  new ProcessBuilder(command)
                      .redirectErrorStream(true)
                      .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                      .start();
              assertTrue(process.waitFor(30, TimeUnit.SECONDS), "the reference does not end");
            });
    String ours =
        talk(
            "ours",
            words ->
                assertEquals(
                    0,
                    CompletableFuture.supplyAsync(
                            () -> ToolRun.run(new SystemTool(), MachineTalk.PROGRAM, "", words),
                            action -> Thread.ofPlatform().start(action))
                        .get(30, TimeUnit.SECONDS)
                        .exitCode()));
    assertEquals(theirs, ours);
    assertTrue(theirs.contains("No file descriptor supplied via SCM_RIGHTS"), theirs);
  }
}
