package org.tinamou.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tinamou.aio.poller.PollerKind;

/** What clients send, wrong things above all: the answers are the reference's, byte for byte. */
final class TranscriptDifferentialTest {
  private static final String NEGOTIATE = "{\"execute\":\"qmp_capabilities\"}";
  private static final String NEGOTIATE_OOB =
      "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]},\"id\":\"caps\"}";
  private static final String END = "{\"execute\":\"query-version\",\"id\":\"END\"}";

  @TempDir static Path folder;
  private static Process reference;
  private static RealMonitor ours;

  @BeforeAll
  static void start() throws Exception {
    String program = "qemu-storage-daemon";
    boolean installed =
        Stream.of(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(each -> Files.isExecutable(Path.of(each, program)));
    if (!installed) {
      Assertions.assertFalse(Boolean.getBoolean("tinamou.peers.required"), program);
      Assumptions.abort("LEFT OUT: " + program + " is not installed");
    }
    reference =
        new ProcessBuilder(
                program,
                "--chardev",
                socket("c", "reference"),
                "--monitor",
                "c",
                "--chardev",
                socket("p", "reference-pretty"),
                "--monitor",
                "p,pretty=on")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    ours = new RealMonitor(PollerKind.AUTO);
    ours.serve(socket("c", "ours"), false);
    ours.serve(socket("p", "ours-pretty"), true);
    UnixClient.awaitSocket(reference, folder.resolve("reference-pretty"));
  }

  private static String socket(String id, String name) {
    return "socket,id=" + id + ",path=" + folder.resolve(name) + ",server=on,wait=off";
  }

  @AfterAll
  static void stop() throws Exception {
    if (ours != null) {
      ours.close();
      reference.destroyForcibly();
    }
  }

  static List<String> transcripts() {
    return List.of(
        // Before and after the negotiation.
        "{\"execute\":\"query-version\",\"id\":1}{\"execute\":\"nope\"}" + NEGOTIATE + NEGOTIATE,
        "{'exec-oob':'query-version'}" + NEGOTIATE,
        "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"x\"]},\"id\":1}"
            + NEGOTIATE,
        "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":1}}" + NEGOTIATE,
        "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[7]}}" + NEGOTIATE,
        "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enabled\":[]}}" + NEGOTIATE,
        "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\",\"oob\"]}}",
        // Envelopes.
        NEGOTIATE + "[1]1\"a\"null true nope {} {\"foo\":1}",
        NEGOTIATE + "{\"execute\":1,\"id\":2}{\"arguments\":{},\"id\":{\"b\":[1,null],\"a\":2}}",
        NEGOTIATE + "{\"execute\":\"query-version\",\"arguments\":1}",
        NEGOTIATE + "{\"execute\":\"query-version\",\"arguments\":null}",
        NEGOTIATE + "{\"execute\":\"query-version\",\"arguments\":{\"a\":1},\"id\":\"x\"}",
        NEGOTIATE + "{\"exec-oob\":\"query-version\",\"id\":3}",
        NEGOTIATE + "{\"execute\":\"query-version\",\"exec-oob\":\"query-version\"}",
        NEGOTIATE + "{\"execute\":\"query-version\",\"control\":{},\"id\":9}",
        NEGOTIATE + "{\"id\":9,\"foo\":1,\"execute\":1}",
        NEGOTIATE + "{'execute':'query-version','id':'it''s'}",
        NEGOTIATE + "{'execute':'query-version','id':1.5e300}",
        NEGOTIATE + "{'execute':'query-version','id':18446744073709551615}",
        // What is no JSON.
        NEGOTIATE + "{\"execute\": \"query-version\", }",
        NEGOTIATE + "{\"execute\" \"query-version\"}",
        NEGOTIATE + "{\"a\":1,\"a\":2}",
        NEGOTIATE + "{\"a\":\"\\ud800\"}",
        NEGOTIATE + "{\"a\":\"\\u0000\"}",
        NEGOTIATE + "{\"a\":\"\u00ff\"}\n",
        NEGOTIATE + "{\"a\":\"b\u0000\"}\n",
        NEGOTIATE + "{\"a\":1e400}",
        NEGOTIATE + "{\"a\":01}\n",
        NEGOTIATE + "]}",
        NEGOTIATE + "[".repeat(1024) + "]".repeat(1024),
        NEGOTIATE + "[".repeat(1025) + "]".repeat(1025),
        // Many at once: more than the queue holds.
        NEGOTIATE + "{\"execute\":\"query-version\"}".repeat(40),
        NEGOTIATE_OOB + "{\"execute\":\"nope\",\"id\":7}".repeat(40));
  }

  /** The end of a transcript with out-of-band commands must not overtake them. */
  static List<String> outOfBandCommands() {
    return List.of(
        "{\"exec-oob\":\"query-version\",\"id\":3}",
        "{\"exec-oob\":\"qmp_capabilities\",\"id\":3}",
        "{\"exec-oob\":\"nope\",\"id\":3}",
        "{\"exec-oob\":1,\"id\":3}",
        "{\"exec-oob\":\"query-version\",\"control\":1,\"id\":3}",
        "{\"execute\":\"query-version\",\"exec-oob\":\"query-version\",\"id\":3}",
        "{\"exec-oob\":\"query-version\",\"arguments\":7,\"id\":3}");
  }

  private static String answers(String socket, String transcript, String mark) throws Exception {
    try (UnixClient client = new UnixClient(folder.resolve(socket))) {
      return client.send(transcript).readUntil(mark);
    }
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("transcripts")
  @DisplayName("38, 4.4: answers to a transcript")
  void answersAreTheReferences(String transcript) throws Exception {
    String mark = "\"id\": \"END\"}\r\n";
    assertEquals(
        answers("reference", transcript + END, mark), answers("ours", transcript + END, mark));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("outOfBandCommands")
  void outOfBandAnswersAreTheReferences(String command) throws Exception {
    String transcript = NEGOTIATE_OOB + command;
    assertEquals(
        answers("reference", transcript, "\"id\": 3").lines().collect(Collectors.toSet()),
        answers("ours", transcript, "\"id\": 3").lines().collect(Collectors.toSet()));
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("transcripts")
  void prettyAnswersAreTheReferences(String transcript) throws Exception {
    String mark = "\"id\": \"END\"\r\n}\r\n";
    assertEquals(
        answers("reference-pretty", transcript + END, mark),
        answers("ours-pretty", transcript + END, mark));
  }
}
