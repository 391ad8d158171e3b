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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonStream;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.ToolRun;

/**
 * A conversation with a machine, ours or the reference's.
 *
 * @param lines all that its monitor has sent
 * @param out what it has printed
 * @param err what it has printed among the errors
 */
record MachineTalk(List<String> lines, String out, String err) {
  static final String PROGRAM = "qemu-system-x86_64";

  /** The words of a machine without anything, whose monitor connects to a socket. */
  private static List<String> words(List<String> further, Path socket) {
    List<String> words = new ArrayList<>(List.of("-machine", "none", "-nodefaults"));
    words.addAll(List.of("-display", "none"));
    words.addAll(further);
    words.addAll(List.of("-qmp", "unix:" + socket));
    return words;
  }

  /** The commands end with one to quit; they are sent at once. */
  static MachineTalk reference(Path folder, List<String> words, String commands) throws Exception {
    Path socket = folder.resolve("reference");
    Path out = folder.resolve("reference.out");
    Path err = folder.resolve("reference.err");
    List<String> command = new ArrayList<>(List.of(PROGRAM));
    command.addAll(words(words, socket));
    try (ServerSocketChannel server = listen(socket)) {
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      List<String> lines = conversation(server, commands);
      assertTrue(process.waitFor(30, TimeUnit.SECONDS), "the reference does not end");
      return new MachineTalk(lines, Files.readString(out), Files.readString(err));
    }
  }

  /** The same with our own machine. */
  static MachineTalk ours(Path folder, List<String> words, String commands) throws Exception {
    Path socket = folder.resolve("ours");
    try (ServerSocketChannel server = listen(socket)) {
      CompletableFuture<ToolRun> run =
          CompletableFuture.supplyAsync(
              () ->
                  ToolRun.run(
                      new SystemTool(), PROGRAM, "", words(words, socket).toArray(new String[0])),
              action -> Thread.ofPlatform().start(action));
      List<String> lines = conversation(server, commands);
      ToolRun ended = run.get(30, TimeUnit.SECONDS);
      assertEquals(0, ended.exitCode());
      return new MachineTalk(lines, ended.out(), ended.err());
    }
  }

  /** Where two lists of lines differ. */
  static List<String> differences(List<String> theirs, List<String> ours) {
    List<String> differences = new ArrayList<>();
    for (int i = 0; i < Math.max(theirs.size(), ours.size()); i++) {
      String expected = i < theirs.size() ? theirs.get(i) : "nothing";
      String actual = i < ours.size() ? ours.get(i) : "nothing";
      if (!expected.equals(actual)) {
        differences.add("\nexpected " + expected + "\n but was " + actual);
      }
    }
    return differences;
  }

  private static ServerSocketChannel listen(Path socket) throws Exception {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    return server.bind(UnixDomainSocketAddress.of(socket));
  }

  /** All that a machine sends once it has connected. */
  private static List<String> conversation(ServerSocketChannel server, String commands)
      throws Exception {
    try (SocketChannel channel = server.accept()) {
      channel.write(ByteBuffer.wrap(commands.strip().getBytes(StandardCharsets.UTF_8)));
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
}
