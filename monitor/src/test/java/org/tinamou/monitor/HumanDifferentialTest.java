package org.tinamou.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.monitor.hmp.HumanArgument;
import org.tinamou.monitor.hmp.HumanArgument.Kind;
import org.tinamou.monitor.hmp.HumanCommand;
import org.tinamou.monitor.hmp.HumanTable;

/**
 * What people type: keys, wrong arguments, help. What is shown is the reference's, byte for byte.
 */
final class HumanDifferentialTest {
  private static final String PROMPT = "(qemu) ";

  @TempDir static Path folder;
  private static Process reference;
  private static RealMonitor ours;

  private static HumanCommand command(
      String names, String parameters, String help, HumanArgument... arguments) {
    return new HumanCommand(names, Arrays.asList(arguments), parameters, help, (given, out) -> {});
  }

  private static HumanTable table() {
    HumanArgument[] throttle = new HumanArgument[7];
    Arrays.setAll(throttle, i -> HumanArgument.required("a" + i, i == 0 ? Kind.DEVICE : Kind.LONG));
    return new HumanTable()
        .add(
            command(
                "block_resize",
                "device size",
                "resize a block image",
                HumanArgument.required("device", Kind.DEVICE),
                HumanArgument.required("size", Kind.SIZE)))
        .add(
            command(
                "drive_mirror",
                "",
                "",
                HumanArgument.flag('n'),
                HumanArgument.flag('f'),
                HumanArgument.required("device", Kind.DEVICE),
                HumanArgument.required("target", Kind.STRING),
                HumanArgument.optional("format", Kind.STRING)))
        .add(command("block_set_io_throttle", "", "", throttle))
        .add(command("stop|s", "", "stop emulation"))
        .add(
            command(
                "cpu", "index", "set the default CPU", HumanArgument.required("i", Kind.INTEGER)))
        .addInfo(
            command(
                "block",
                "[-n] [-v] [device]",
                "show info of one block device or all block devices (-n: show named nodes; -v: show"
                    + " details)",
                HumanArgument.flag('n'),
                HumanArgument.flag('v'),
                HumanArgument.optional("device", Kind.DEVICE)));
  }

  @BeforeAll
  static void start() throws Exception {
    String program = "qemu-system-x86_64";
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
                "-machine",
                "none",
                "-nodefaults",
                "-display",
                "none",
                "-S",
                "-chardev",
                socket("reference"),
                "-mon",
                "c")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    ours = new RealMonitor(PollerKind.AUTO);
    ours.serveHuman(socket("ours"), table());
    UnixClient.awaitSocket(reference, folder.resolve("reference"));
  }

  private static String socket(String name) {
    return "socket,id=c,path=" + folder.resolve(name) + ",server=on,wait=off";
  }

  @AfterAll
  static void stop() throws Exception {
    if (ours != null) {
      ours.close();
      reference.destroyForcibly();
    }
  }

  /** What a session shows for some keys, up to the prompt behind a last line. */
  private static String shown(String name, String keys) throws Exception {
    try (UnixClient client = new UnixClient(folder.resolve(name))) {
      return client.send(keys + "end\n").readUntil("unknown command: 'end'\r\n" + PROMPT);
    }
  }

  static List<String> keys() {
    List<String> all = new ArrayList<>();
    all.add("\n  \nnope\n info nope\n");
    all.add("nope\b\bpe\n\b\n");
    all.add("ab\033[D\033[Dx\033[Cy\033[3~z\n");
    all.add("abc\001x\005y\004\001\004\n");
    all.add("first\nsecond\n\033[A\n\033[A\033[A\n\033[A\033[A\033[B\n");
    all.add("first\n\020\n\016\016xx\n");
    all.add("a bc  \027d\n");
    all.add("ab\033[Hc\033[Ed\033[1~e\033[4~f\n");
    all.add("xx\rinfo nope now\r\nfoo/bar\n");
    return all;
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("keys")
  void linesAreEditedAsByTheReference(String keys) throws Exception {
    assertEquals(shown("reference", keys), shown("ours", keys));
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "block_resize",
        "block_resize \"d0",
        "block_resize \"d\\q0\" 1",
        "block_resize d0",
        "block_resize d0 x",
        "block_resize d0 1z",
        "block_resize d0 1x y",
        "block_resize d0 -1",
        "block_resize d0 8E",
        "drive_mirror",
        "drive_mirror -n -f d0",
        "drive_mirror -x d0 y",
        "drive_mirror d0 a b c",
        "block_set_io_throttle d0 a b c d e f",
        "block_set_io_throttle d0 1",
        "block_set_io_throttle d0 1+2*3 0 0 0 0 (4",
        "block_set_io_throttle d0 1/0 0 0 0 0 4",
        "block_set_io_throttle d0 99999999999999999999 0 0 0 0 4",
        "block_set_io_throttle d0 0x10k 0 0 0 0 4",
        "block_set_io_throttle d0 0 0 0 0 0 ~0 1",
        "cpu 99999999999",
        "cpu x",
        "s x",
        "stop x",
        "info block -q",
        "info block d0 x",
        "help block_resize",
        "help s",
        "? help",
        "help nope",
        "help info block",
        "help info nope",
        "help a b c"
      })
  void wrongLinesGetTheReferencesWords(String line) throws Exception {
    assertEquals(shown("reference", line + "\n"), shown("ours", line + "\n"));
  }

  /** Whoever ends the program gets no prompt any more. */
  @Test
  void nothingFollowsTheLastCommand() throws Exception {
    Path theirSocket = folder.resolve("last-reference");
    Process program =
        new ProcessBuilder(
                "qemu-system-x86_64",
                "-machine",
                "none",
                "-nodefaults",
                "-display",
                "none",
                "-monitor",
                "unix:" + theirSocket + ",server=on,wait=off")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    UnixClient.awaitSocket(program, theirSocket);
    String theirs;
    try (UnixClient client = new UnixClient(theirSocket)) {
      theirs = client.send("stop x\nquit\n").readUntil("never");
    } finally {
      program.destroyForcibly();
    }
    Path socket = folder.resolve("last-ours");
    CountDownLatch asked = new CountDownLatch(1);
    HumanTable table =
        table()
            .add(
                new HumanCommand(
                    "quit|q", List.of(), "", "", (given, out) -> asked.countDown(), true));
    RealMonitor monitor = new RealMonitor(PollerKind.AUTO);
    monitor.serveHuman("socket,id=c,path=" + socket + ",server=on,wait=off", table);
    try (UnixClient client = new UnixClient(socket)) {
      client.send("stop x\nquit\n");
      assertTrue(asked.await(30, TimeUnit.SECONDS));
      monitor.close();
      assertEquals(theirs, client.readUntil("never"));
    }
  }
}
