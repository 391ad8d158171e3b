package org.tinamou.tools.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;

/** A daemon from its first option to its exit code, told what to do before it has begun. */
final class DaemonLifeTest {
  private static final int NODES = 50;
  private static final String COMMANDS =
      """
      {"execute": "qmp_capabilities"}
      {"execute": "blockdev-del", "arguments": {"node-name": "node%d"}}
      {"execute": "quit"}
      """;

  @TempDir private Path folder;

  @RepeatedTest(10)
  void commandsWaitForTheOptionsAndTheEndIsOrderly() throws Exception {
    Path socket = folder.resolve("monitor");
    List<String> words = new ArrayList<>();
    words.addAll(List.of("--chardev", "socket,id=early,path=" + socket, "--monitor", "early"));
    Path other = folder.resolve("other");
    words.addAll(
        List.of(
            "--chardev", "socket,id=idle,server=on,wait=off,path=" + other, "--monitor", "idle"));
    for (int i = 0; i <= NODES; i++) {
      words.addAll(List.of("--blockdev", "driver=null-co,node-name=node" + i));
    }
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      CompletableFuture<ToolRun> run =
          CompletableFuture.supplyAsync(
              () -> ToolRun.run(new DaemonTool(), "daemon", "", words.toArray(new String[0])),
              action -> Thread.ofPlatform().start(action));
      String told;
      try (SocketChannel channel = server.accept()) {
        channel.write(ByteBuffer.wrap(COMMANDS.formatted(NODES).getBytes(StandardCharsets.UTF_8)));
        told = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
      }
      ToolRun ended = run.get(60, TimeUnit.SECONDS);
      assertEquals("", ended.err());
      assertEquals(0, ended.exitCode());
      assertTrue(told.endsWith("{\"return\": {}}\r\n".repeat(3)), told);
    }
  }

  /**
   * What people type reaches the daemon too, by QMP; what qemu-io prints is the program's output.
   */
  @Test
  void whatPeopleTypeIsCarriedOut() throws Exception {
    String commands =
        """
        {"execute":"qmp_capabilities"}
        {"execute":"human-monitor-command","arguments":
            {"command-line":"qemu-io disk \\"read -P 0 0 64k\\""}}
        {"execute":"human-monitor-command","arguments":{"command-line":"nope"}}
        {"execute":"quit"}
        """;
    Path socket = folder.resolve("typed");
    String[] words = {
      "--chardev",
      "socket,id=c,path=" + socket,
      "--monitor",
      "c",
      "--blockdev",
      "driver=null-co,node-name=disk,read-zeroes=on"
    };
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      CompletableFuture<ToolRun> run =
          CompletableFuture.supplyAsync(
              () -> ToolRun.run(new DaemonTool(), "daemon", "", words),
              action -> Thread.ofPlatform().start(action));
      String told;
      try (SocketChannel channel = server.accept()) {
        channel.write(ByteBuffer.wrap(commands.getBytes(StandardCharsets.UTF_8)));
        told = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
      }
      ToolRun ended = run.get(60, TimeUnit.SECONDS);
      assertEquals(0, ended.exitCode());
      assertTrue(ended.out().startsWith("read 65536/65536 bytes at offset 0\n"), ended.out());
      assertTrue(told.contains("{\"return\": \"unknown command: 'nope'\\r\\n\"}"), told);
    }
  }
}
