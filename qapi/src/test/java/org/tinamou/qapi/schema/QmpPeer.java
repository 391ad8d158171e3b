package org.tinamou.qapi.schema;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonStream;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.Peers;

/** The reference's machine without devices, as a partner for control protocol texts. */
final class QmpPeer {
  private QmpPeer() {}

  /** What it answers to each command, errors included; commands get ids of their own. */
  static List<Json.Members> answers(List<Json.Members> commands) throws Exception {
    String program = Peers.require("qemu-system-x86_64");
    Process process =
        new ProcessBuilder(
                program, "-machine", "none", "-nodefaults", "-display", "none", "-qmp", "stdio")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    Thread writer = Thread.ofVirtual().start(() -> send(process.getOutputStream(), commands));
    List<Json.Members> answers = new ArrayList<>();
    JsonStream stream =
        new JsonStream(
            next -> {
              if (next instanceof Parsed.Value<Json>(Json.Members members)
                  && members.members().containsKey("id")) {
                answers.add(members);
              }
            });
    byte[] output = process.getInputStream().readAllBytes();
    stream.feed(output, 0, output.length);
    writer.join();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS), "the reference does not end");
    assertTrue(answers.size() == commands.size(), "the reference did not answer everything");
    return answers;
  }

  private static void send(OutputStream out, List<Json.Members> commands) {
    try (out) {
      StringBuilder text = new StringBuilder("{\"execute\":\"qmp_capabilities\"}\n");
      for (Json.Members command : commands) {
        command.put("id", text.length());
        text.append(JsonWriter.compact(command)).append('\n');
      }
      text.append("{\"execute\":\"quit\"}\n");
      out.write(text.toString().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  static Json.Members command(String name, Json.Members arguments) {
    return new Json.Members().put("execute", name).put("arguments", arguments);
  }
}
