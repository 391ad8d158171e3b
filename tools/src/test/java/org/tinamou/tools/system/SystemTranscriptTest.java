package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonStream;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.ToolRun;
import org.tinamou.tools.nbd.Programs;

/** The same commands for our machine and for the reference's: the same answers and events. */
final class SystemTranscriptTest {
  private static final String PROGRAM = "qemu-system-x86_64";

  private static final String COMMANDS =
      """
      {"execute":"qmp_capabilities"}
      {"execute":"query-status"}
      {"execute":"cont"}
      {"execute":"query-status"}
      {"execute":"stop"}
      {"execute":"stop"}
      {"execute":"system_reset"}
      {"execute":"system_powerdown"}
      {"execute":"system_wakeup"}
      {"execute":"query-name"}
      {"execute":"query-uuid"}
      {"execute":"query-target"}
      {"execute":"query-current-machine"}
      {"execute":"query-cpus-fast"}
      {"execute":"query-pr-managers"}
      {"execute":"device_add","arguments":{"driver":"foo"}}
      {"execute":"device_add","arguments":{}}
      {"execute":"device_del","arguments":{"id":"foo"}}
      {"execute":"device-list-properties","arguments":{"typename":"foo"}}
      {"execute":"query-block"}
      {"execute":"query-blockstats"}
      {"execute":"query-named-block-nodes","arguments":{"flat":true}}
      {"execute":"x-debug-query-block-graph"}
      {"execute":"eject","arguments":{"device":"a"}}
      {"execute":"eject","arguments":{"device":"a"}}
      {"execute":"eject","arguments":{"device":"nope"}}
      {"execute":"eject","arguments":{}}
      {"execute":"eject","arguments":{"id":"b"}}
      {"execute":"eject","arguments":{"device":"a","id":"b"}}
      {"execute":"blockdev-open-tray","arguments":{"device":"c"}}
      {"execute":"blockdev-open-tray","arguments":{"id":"c"}}
      {"execute":"blockdev-close-tray","arguments":{"device":"c"}}
      {"execute":"blockdev-remove-medium","arguments":{"id":"c"}}
      {"execute":"blockdev-insert-medium","arguments":{"id":"a","node-name":"zz"}}
      {"execute":"blockdev-change-medium","arguments":
          {"device":"a","filename":"@/a.raw","format":"raw"}}
      {"execute":"blockdev-change-medium","arguments":{"device":"c","filename":"@/missing"}}
      {"execute":"blockdev-change-medium","arguments":{"device":"nope","filename":"x"}}
      {"execute":"query-block"}
      {"execute":"block_set_io_throttle","arguments":
          {"device":"c","bps":0,"bps_rd":0,"bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}
      {"execute":"block_set_io_throttle","arguments":
          {"device":"b","bps":0,"bps_rd":0,"bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}
      {"execute":"block_set_io_throttle","arguments":
          {"device":"c","bps":1,"bps_rd":1,"bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}
      {"execute":"block-latency-histogram-set","arguments":{"id":"c"}}
      {"execute":"block_resize","arguments":{"device":"c","size":1024}}
      {"execute":"blockdev-del","arguments":{"node-name":"zz"}}
      {"execute":"blockdev-add","arguments":{"driver":"null-co","node-name":"a"}}
      {"execute":"quit"}
      """;

  @TempDir Path folder;

  private List<String> words(Path socket) {
    List<String> words = new ArrayList<>(List.of("-machine", "none", "-nodefaults"));
    words.addAll(List.of("-display", "none", "-S", "-name", "guest=foo"));
    words.addAll(List.of("-drive", "if=none,id=a,file=" + folder + "/a.raw,format=raw"));
    words.addAll(List.of("-drive", "if=none,id=b"));
    words.addAll(List.of("-drive", "if=none,id=c,driver=null-co,cache=unsafe"));
    words.addAll(List.of("-drive", "driver=null-co,read-only=on"));
    words.addAll(List.of("-blockdev", "null-co,node-name=zz"));
    words.addAll(List.of("-qmp", "unix:" + socket));
    return words;
  }

  /** All that a machine sends once it has connected. */
  private List<String> conversation(ServerSocketChannel server) throws Exception {
    try (SocketChannel channel = server.accept()) {
      String commands = COMMANDS.strip().replace("@", folder.toString());
      channel.write(ByteBuffer.wrap(commands.getBytes(StandardCharsets.UTF_8)));
      List<String> lines = new ArrayList<>();
      JsonStream stream =
          new JsonStream(
              next -> {
                if (next instanceof Parsed.Value<Json>(Json value)) {
                  lines.add(normalized(value));
                }
              });
      InputStream in = Channels.newInputStream(channel);
      byte[] output = in.readAllBytes();
      stream.feed(output, 0, output.length);
      return lines;
    }
  }

  /** Without times, versions and generated names. */
  private static String normalized(Json value) {
    return JsonWriter.compact(value)
        .replaceAll("\\{\"timestamp\": \\{[^}]*}, ", "{")
        .replaceAll("\"package\": \"[^\"]*\"", "\"package\"")
        .replaceAll("#block[0-9]{3,}", "#block")
        .replaceAll("\"actual-size\": [0-9]+", "\"actual-size\"");
  }

  private static ServerSocketChannel listen(Path socket) throws Exception {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    return server.bind(UnixDomainSocketAddress.of(socket));
  }

  private List<String> reference() throws Exception {
    Path socket = folder.resolve("reference");
    List<String> command = new ArrayList<>(List.of(PROGRAM));
    command.addAll(words(socket));
    try (ServerSocketChannel server = listen(socket)) {
      Process process = new ProcessBuilder(command).inheritIO().start();
      List<String> lines = conversation(server);
      assertTrue(process.waitFor(30, TimeUnit.SECONDS), "the reference does not end");
      return lines;
    }
  }

  private List<String> ours() throws Exception {
    Path socket = folder.resolve("ours");
    try (ServerSocketChannel server = listen(socket)) {
      CompletableFuture<ToolRun> run =
          CompletableFuture.supplyAsync(
              () ->
                  ToolRun.run(new SystemTool(), PROGRAM, "", words(socket).toArray(new String[0])),
              action -> Thread.ofPlatform().start(action));
      List<String> lines = conversation(server);
      ToolRun ended = run.get(30, TimeUnit.SECONDS);
      assertEquals("", ended.err());
      assertEquals(0, ended.exitCode());
      return lines;
    }
  }

  @Test
  void answersAsTheReferenceDoes() throws Exception {
    Programs.require(PROGRAM);
    java.nio.file.Files.write(folder.resolve("a.raw"), new byte[1 << 20]);
    List<String> theirs = reference();
    List<String> ours = ours();
    List<String> differences = new ArrayList<>();
    for (int i = 0; i < Math.min(theirs.size(), ours.size()); i++) {
      if (!theirs.get(i).equals(ours.get(i))) {
        differences.add("\nexpected " + theirs.get(i) + "\n but was " + ours.get(i));
      }
    }
    assertEquals(List.of(), differences);
    assertEquals(theirs.size(), ours.size());
  }
}
