package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;
import org.tinamou.tools.nbd.Programs;

/** Connections that hang are listed and cut. */
final class YankTest {
  @TempDir private Path folder;

  @Test
  void instancesAreThoseOfTheReference() throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    String yank = "{'execute':'yank','arguments':{'instances':[%s]}}\n";
    String commands =
        "{'execute':'qmp_capabilities'}\n{'execute':'query-yank'}\n"
            + yank.formatted("{'type':'chardev','id':'c1'}")
            + yank.formatted("{'type':'chardev','id':'c2'}")
            + yank.formatted("{'type':'chardev','id':'c1'},{'type':'block-node','node-name':'n'}")
            + yank.formatted("{'type':'migration'}")
            + yank.formatted("{'type':'block-node','id':'c1'}")
            + yank.formatted("{'type':'other'}")
            + yank.formatted("")
            + "{'execute':'yank'}\n{'execute':'quit'}";
    List<String> words =
        List.of(
            "-chardev",
            "socket,id=c1,server=on,wait=off,path=" + folder.resolve("c1"),
            "-chardev",
            "null,id=c2",
            "-blockdev",
            "driver=null-co,node-name=n");
    List<String> theirs = MachineTalk.reference(folder, words, commands).lines();
    assertEquals(
        List.of(),
        MachineTalk.differences(theirs, MachineTalk.ours(folder, words, commands).lines()));
    assertTrue(theirs.toString().contains("Instance not found"), theirs::toString);
  }

  private static void say(SocketChannel to, String line) throws Exception {
    to.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
  }

  private static ServerSocketChannel listen(Path socket) throws Exception {
    return ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        .bind(UnixDomainSocketAddress.of(socket));
  }

  /** The reference does nothing else meanwhile. */
  @Test
  void aNodeWhoseServerSaysNothingIsNotOpened() throws Exception {
    Path monitor = folder.resolve("monitor");
    Path silent = folder.resolve("silent");
    try (ServerSocketChannel monitors = listen(monitor);
        ServerSocketChannel servers = listen(silent)) {
      CompletableFuture<ToolRun> run =
          CompletableFuture.supplyAsync(
              () ->
                  ToolRun.run(
                      new SystemTool(),
                      MachineTalk.PROGRAM,
                      "",
                      "-machine",
                      "none",
                      "-nodefaults",
                      "-display",
                      "none",
                      "-qmp",
                      "unix:" + monitor),
              action -> Thread.ofPlatform().start(action));
      try (SocketChannel channel = monitors.accept();
          BufferedReader told =
              new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
        told.readLine(); // the greeting
        say(channel, "{'execute':'qmp_capabilities','arguments':{'enable':['oob']}}");
        told.readLine();
        say(
            channel,
            ("{'execute':'blockdev-add','id':1,'arguments':{'driver':'nbd','node-name':'n',"
                    + "'server':{'type':'unix','path':'%s'}}}")
                .formatted(silent));
        try (SocketChannel connected = servers.accept()) {
          say(channel, "{'exec-oob':'query-yank','id':2}");
          String instances = told.readLine();
          assertTrue(instances.contains("\"node-name\": \"n\""), instances);
          say(
              channel,
              "{'exec-oob':'yank','id':3,'arguments':"
                  + "{'instances':[{'type':'block-node','node-name':'n'}]}}");
          List<String> answers = List.of(told.readLine(), told.readLine());
          assertTrue(answers.contains("{\"return\": {}, \"id\": 3}"), answers::toString);
          assertTrue(
              answers.stream()
                  .anyMatch(each -> each.contains("error") && each.contains("\"id\": 1")),
              answers::toString);
          assertTrue(connected.isConnected());
        }
        say(channel, "{'execute':'quit'}");
        assertEquals(0, run.get(30, TimeUnit.SECONDS).exitCode());
      }
    }
  }
}
