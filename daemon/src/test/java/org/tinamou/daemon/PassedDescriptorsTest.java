package org.tinamou.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ErrnoException;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Files that clients pass are opened by the number of their set, for what they were opened for. */
class PassedDescriptorsTest {
  @TempDir Path folder;

  /** What is said to a daemon in one coroutine. */
  @FunctionalInterface
  private interface Talk {
    void run(AioContext main, Daemon daemon) throws Exception;
  }

  private static void talk(Talk talk) throws Exception {
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      main.runUntilDone(
          "talk",
          () -> {
            Daemon daemon =
                new Daemon(
                    main,
                    (name, polling) -> {
                      throw new OptionException("no loops here");
                    });
            try {
              talk.run(main, daemon);
            } catch (Exception e) {
              throw new AssertionError(e);
            } finally {
              daemon.close();
            }
            return 0;
          });
    }
  }

  private static String say(Daemon daemon, int fd, String command, Json.Members arguments)
      throws CommandException, OptionException {
    return say(daemon, "monitor", fd, command, arguments);
  }

  private static String say(
      Daemon daemon, String monitor, int fd, String command, Json.Members arguments)
      throws CommandException, OptionException {
    CommandContext context =
        new CommandContext() {
          @Override
          public int takeDescriptor() {
            return fd;
          }

          @Override
          public Object monitor() {
            return monitor;
          }
        };
    OptionReader reader = OptionReader.of(arguments, OptionReader.Style.TYPED);
    return JsonWriter.compact(
        java.util.Objects.requireNonNull(daemon.commands().get(command)).run(reader, context));
  }

  private int open(AioContext main, String name, OpenFlag... flags) throws IOException {
    Path file = folder.resolve(name);
    if (!Files.exists(file)) {
      Files.write(file, new byte[65536]);
    }
    try {
      return main.callBlocking(() -> main.hostFiles().open(file, 0, flags));
    } catch (ErrnoException e) {
      throw new IOException(e);
    }
  }

  private static Json.Members set(long id) {
    return new Json.Members().put("fdset-id", id);
  }

  private static Json.Members node(String name, String file, boolean readOnly) {
    return new Json.Members()
        .put("driver", "file")
        .put("node-name", name)
        .put("filename", file)
        .put("read-only", readOnly);
  }

  @Test
  void aSetIsOpenedByItsNumber() throws Exception {
    talk(
        (main, daemon) -> {
          int reading = open(main, "a");
          int writing = open(main, "a", OpenFlag.READ_WRITE);
          say(daemon, reading, "add-fd", set(3));
          assertEquals(
              "Could not dup FD for /dev/fdset/3 flags 2: Permission denied",
              refusal(daemon, node("n", "/dev/fdset/3", false)));
          say(daemon, writing, "add-fd", set(3).put("opaque", "w"));
          say(daemon, -1, "blockdev-add", node("n", "/dev/fdset/3", false));
          say(daemon, -1, "blockdev-add", node("r", "/dev/fdset/3", true));
          assertEquals(
              "[{\"fdset-id\": 3, \"fds\": [{\"fd\": %d}, {\"fd\": %d, \"opaque\": \"w\"}]}]"
                  .formatted(reading, writing),
              say(daemon, -1, "query-fdsets", new Json.Members()));
          // A set that is removed stays until the last node that was opened from it is closed.
          say(daemon, -1, "remove-fd", set(3));
          assertEquals(
              "[{\"fdset-id\": 3, \"fds\": []}]",
              say(daemon, -1, "query-fdsets", new Json.Members()));
          for (String name : List.of("n", "r")) {
            say(daemon, -1, "blockdev-del", new Json.Members().put("node-name", name));
          }
          assertEquals("[]", say(daemon, -1, "query-fdsets", new Json.Members()));
          assertEquals(
              "Could not dup FD for /dev/fdset/3 flags 0: No such file or directory",
              refusal(daemon, node("n", "/dev/fdset/3", true)));
          assertEquals(
              "Could not parse fdset /dev/fdset/x",
              refusal(daemon, node("n", "/dev/fdset/x", true)));
        });
  }

  @Test
  void aSetWithoutANumberGetsTheLowestOne() throws Exception {
    talk(
        (main, daemon) -> {
          say(daemon, open(main, "a"), "add-fd", set(1));
          for (long expected : new long[] {0, 2}) {
            int fd = open(main, "a");
            assertEquals(
                "{\"fdset-id\": %d, \"fd\": %d}".formatted(expected, fd),
                say(daemon, fd, "add-fd", new Json.Members()));
          }
          assertEquals(
              "No file descriptor supplied via SCM_RIGHTS",
              assertThrows(CommandException.class, () -> say(daemon, -1, "add-fd", set(1)))
                  .getMessage());
          assertEquals(
              "File descriptor named 'fdset-id:1, fd:999' not found",
              assertThrows(
                      CommandException.class,
                      () -> say(daemon, -1, "remove-fd", set(1).put("fd", 999)))
                  .getMessage());
        });
  }

  private static String refusal(Daemon daemon, int fd, String command, Json.Members arguments) {
    return String.valueOf(
        assertThrows(CommandException.class, () -> say(daemon, fd, command, arguments))
            .getMessage());
  }

  /** Whether the number is that of the file; somebody else may have it meanwhile. */
  private boolean isOpenHere(int fd) throws IOException {
    try {
      Path target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd));
      return target.equals(folder.resolve("a").toRealPath());
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static Json.Members name(String name) {
    return new Json.Members().put("fdname", name);
  }

  private static Json.Members listenOn(String name) {
    Json.Members data = new Json.Members().put("str", name);
    return new Json.Members().put("addr", new Json.Members().put("type", "fd").put("data", data));
  }

  @Test
  void aDescriptorIsNamedUntilItIsClosed() throws Exception {
    talk(
        (main, daemon) -> {
          assertEquals(
              "No file descriptor supplied via SCM_RIGHTS",
              refusal(daemon, -1, "getfd", name("a")));
          assertEquals(
              "Parameter 'fdname' expects a name not starting with a digit",
              refusal(daemon, open(main, "a"), "getfd", name("1a")));
          int first = open(main, "a");
          assertTrue(isOpenHere(first));
          assertEquals("{}", say(daemon, first, "getfd", name("a")));
          assertEquals("{}", say(daemon, open(main, "a"), "getfd", name("a")));
          assertFalse(isOpenHere(first), "the first one is closed");
          assertEquals("{}", say(daemon, -1, "closefd", name("a")));
          assertEquals(
              "File descriptor named 'a' not found", refusal(daemon, -1, "closefd", name("a")));
          assertEquals(
              "File descriptor named 'a' has not been found",
              assertThrows(
                      OptionException.class,
                      () -> say(daemon, -1, "nbd-server-start", listenOn("a")))
                  .getMessage());
          say(daemon, open(main, "a"), "getfd", name("left"));
        });
  }

  @Test
  void aNameIsKnownWhereItWasGiven() throws Exception {
    talk(
        (main, daemon) -> {
          int fd = open(main, "a");
          assertEquals("{}", say(daemon, "one", fd, "getfd", name("a")));
          assertEquals(
              "File descriptor named 'a' not found",
              assertThrows(
                      CommandException.class, () -> say(daemon, "two", -1, "closefd", name("a")))
                  .getMessage());
          assertEquals(
              "File descriptor named 'a' has not been found",
              assertThrows(
                      OptionException.class,
                      () -> say(daemon, "two", -1, "nbd-server-start", listenOn("a")))
                  .getMessage());
          assertTrue(isOpenHere(fd));
          assertEquals(
              "File descriptor 'a' is not a socket",
              assertThrows(
                      CommandException.class,
                      () -> say(daemon, "one", -1, "nbd-server-start", listenOn("a")))
                  .getMessage());
          assertFalse(isOpenHere(fd), "what was taken and is of no use is closed");
          assertEquals(
              "File descriptor named '1' has not been found",
              assertThrows(
                      OptionException.class,
                      () -> say(daemon, "one", -1, "nbd-server-start", listenOn("1")))
                  .getMessage());
        });
  }

  private static String refusal(Daemon daemon, Json.Members node) {
    return String.valueOf(
        assertThrows(CommandException.class, () -> say(daemon, -1, "blockdev-add", node))
            .getMessage());
  }
}
