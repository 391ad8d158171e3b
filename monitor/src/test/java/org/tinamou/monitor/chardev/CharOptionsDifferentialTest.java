package org.tinamou.monitor.chardev;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.monitor.MonitorOptions;
import org.tinamou.monitor.RealMonitor;
import org.tinamou.qapi.OptionException;

/** Command lines that are refused, with the reference's words. */
final class CharOptionsDifferentialTest {
  private static String program(String program) {
    boolean installed =
        Stream.of(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(each -> Files.isExecutable(Path.of(each, program)));
    if (!installed) {
      Assertions.assertFalse(Boolean.getBoolean("tinamou.peers.required"), program);
      Assumptions.abort("LEFT OUT: " + program + " is not installed");
    }
    return program;
  }

  private static List<String> reference(String... arguments) throws Exception {
    return reference(new ArrayList<>(List.of(program("qemu-storage-daemon"))), arguments);
  }

  private static List<String> reference(List<String> command, String... arguments)
      throws Exception {
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(new File("/dev/null"))
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String prefix =
        command.getFirst()
            + ": "
            + arguments[arguments.length - 2]
            + " "
            + arguments[arguments.length - 1]
            + ": ";
    assertEquals(0, output.indexOf(prefix), output);
    return output.lines().map(line -> line.replace(prefix, "")).toList();
  }

  private static List<String> told(OptionException e) {
    List<String> lines = new ArrayList<>(e.getMessage().lines().toList());
    String hint = e.hint();
    if (hint != null) {
      lines.addAll(hint.lines().toList());
    }
    return lines;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "foo",
        "foo,id=a",
        "id=a",
        "stdio",
        "",
        "socket,path=/x",
        "socket,id=a",
        "socket,id=a,path=/nope/x,server=on,wait=off,reconnect=1",
        "socket,id=a,path=/nope/x,server=off,wait=off",
        "socket,id=a,host=h",
        "socket,id=a,host=h,port=abc",
        "socket,id=a,path=/nope/x",
        "socket,id=a,path=/nope/x,server=on,wait=off",
        "socket,id=a,host=127.0.0.1,port=1",
        "socket,id=a,fd=77",
        "socket,id=a,fd=x",
        "socket,id=a,path=/nope/x,foo=1",
        "socket,id=a,path=/nope/x,server=maybe",
        "socket,id=a,path=/nope/x,tls-creds=x,server=on,wait=off",
        "pipe,id=a",
        "pipe,id=a,path=/nope/pipe",
        "file,id=a",
        "file,id=a,path=/nope/x",
        "ringbuf,id=a,size=3",
        "ringbuf,id=a,size=x",
        "null,id=1a",
        "console,id=a",
        "stdio,id=a,signal=foo"
      })
  void devicesAreRefusedInTheReferencesWords(String text) throws Exception {
    List<String> expected = reference("--chardev", text);
    try (RealMonitor monitor = new RealMonitor(PollerKind.AUTO)) {
      OptionException refused =
          Assertions.assertThrows(
              OptionException.class,
              () -> {
                CharOptions options = CharOptions.parse(text);
                try {
                  monitor.call(() -> monitor.devices.add(options.id(), options.spec()));
                } catch (java.util.concurrent.ExecutionException e) {
                  throw e.getCause();
                }
              });
      assertEquals(expected, told(refused));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mode=control",
        "chardev=a,mode=foo",
        "a,pretty=x",
        "a,foo=x",
        "a,mode=readline",
        "a,mode=readline,pretty=on"
      })
  void monitorsAreRefusedInTheReferencesWords(String text) throws Exception {
    List<String> expected = reference("--chardev", "null,id=a", "--monitor", text);
    OptionException refused =
        Assertions.assertThrows(OptionException.class, () -> MonitorOptions.parse(text));
    assertEquals(expected, told(refused));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "unix:",
        "tcp:",
        "telnet:h",
        "file:/nope/x",
        "pipe:/nope/x",
        "unix:/nope/x,server=on,wait=off",
        "unix:path=/nope/x",
        "unix:server=on,path=/nope/x",
        "unix:foo=3",
        "tcp:127.0.0.1:1",
        "tcp:localhost:1,foo=1",
        "foo",
        "ringbuf",
        "",
        "stdio,signal=on"
      })
  void shorthandIsRefusedInTheReferencesWords(String text) throws Exception {
    List<String> machine =
        new ArrayList<>(
            List.of(
                program("qemu-system-x86_64"),
                "-machine",
                "none",
                "-nodefaults",
                "-display",
                "none"));
    List<String> expected = reference(machine, "-qmp", text);
    try (RealMonitor monitor = new RealMonitor(PollerKind.AUTO)) {
      OptionException refused =
          Assertions.assertThrows(
              OptionException.class,
              () -> {
                CharOptions options = CharShorthand.parse("compat_monitor0", text);
                try {
                  monitor.call(() -> monitor.devices.add(options.id(), options.spec()));
                } catch (java.util.concurrent.ExecutionException e) {
                  throw e.getCause();
                }
              });
      assertEquals(expected, told(refused));
    }
  }
}
