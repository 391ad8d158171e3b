package org.tinamou.monitor.chardev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.monitor.RealMonitor;
import org.tinamou.monitor.UnixClient;

/** Monitors on each kind of character device. */
final class CharDevicesTest {
  private static final String NEGOTIATE = "{'execute':'qmp_capabilities'}";
  private static final String REPLY = "{\"return\": {}}\r\n";

  @TempDir Path folder;

  private static String command(String name, String arguments) {
    return "{'execute':'" + name + "','arguments':{" + arguments + "}}";
  }

  @ParameterizedTest
  @EnumSource(
      value = PollerKind.class,
      names = {"IO_URING", "EPOLL"})
  void listeningSocketServesOneClientAfterTheOther(PollerKind kind) throws Exception {
    Path path = folder.resolve("socket");
    try (RealMonitor monitor = new RealMonitor(kind)) {
      monitor.serve("socket,id=a,path=" + path + ",server=on,wait=off", false);
      for (int i = 0; i < 3; i++) {
        try (UnixClient client = new UnixClient(path)) {
          assertTrue(client.send(NEGOTIATE).readUntil(REPLY).startsWith("{\"QMP\": "));
          assertTrue(
              client
                  .send("{'execute':'query-chardev','id':1}")
                  .readUntil("\"id\": 1}")
                  .contains("\"filename\": \"unix:" + path + ",server=on\""));
        }
      }
    }
    assertFalse(Files.exists(path), "the socket is left behind");
  }

  @ParameterizedTest
  @EnumSource(
      value = PollerKind.class,
      names = {"IO_URING", "EPOLL"})
  void pseudoTerminalIsOpenedAndLeftAndOpenedAgain(PollerKind kind) throws Exception {
    try (RealMonitor monitor = new RealMonitor(kind)) {
      monitor.serve("pty,id=p", false);
      String notice = monitor.notices.getFirst();
      assertTrue(notice.matches("char device redirected to /dev/pts/\\d+ \\(label p\\)"), notice);
      String path = notice.split(" ")[4];
      for (int i = 0; i < 2; i++) {
        try (RandomAccessFile terminal = new RandomAccessFile(path, "rw")) {
          // Who comes back at once may find the session it had.
          String text = NEGOTIATE + "{'execute':'query-version','id':" + i + "}\n";
          terminal.write(text.getBytes(StandardCharsets.UTF_8));
          assertTrue(readUntil(terminal, "\"id\": " + i).contains("\"package\""));
        }
      }
    }
  }

  private static String readUntil(RandomAccessFile file, String mark) throws Exception {
    StringBuilder got = new StringBuilder();
    byte[] buffer = new byte[4096];
    int count;
    while (got.indexOf(mark) < 0 && (count = file.read(buffer)) > 0) {
      got.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
    }
    return got.toString();
  }

  @ParameterizedTest
  @EnumSource(
      value = PollerKind.class,
      names = {"IO_URING", "EPOLL"})
  void pipesCarryAMonitor(PollerKind kind) throws Exception {
    Path pipe = folder.resolve("pipe");
    for (String end : List.of(".in", ".out")) {
      assertEquals(0, new ProcessBuilder("mkfifo", pipe + end).start().waitFor());
    }
    try (RealMonitor monitor = new RealMonitor(kind)) {
      monitor.serve("pipe,id=p,path=" + pipe, false);
      Files.writeString(Path.of(pipe + ".in"), NEGOTIATE);
      try (RandomAccessFile out = new RandomAccessFile(pipe + ".out", "r")) {
        assertTrue(readUntil(out, REPLY).endsWith(REPLY));
      }
    }
  }

  @Test
  void filesAndRingsKeepWhatAMonitorSays() throws Exception {
    Path file = folder.resolve("file");
    Path socket = folder.resolve("socket");
    Files.writeString(file, "before\n");
    try (RealMonitor monitor = new RealMonitor(PollerKind.AUTO)) {
      monitor.serve("file,id=f,append=on,path=" + file, false);
      monitor.serve("ringbuf,id=r,size=16", false);
      monitor.serve("socket,id=s,path=" + socket + ",server=on,wait=off", false);
      try (UnixClient client = new UnixClient(socket)) {
        client.send(NEGOTIATE + command("ringbuf-read", "'device':'r','size':100"));
        assertTrue(client.readUntil("return\": \"").contains("\"oob\\\"]}}\\r\\n\""));
        client.send(command("ringbuf-write", "'device':'r','data':'aGVsbG8=','format':'base64'"));
        client.send(command("ringbuf-read", "'device':'r','size':3,'format':'base64'"));
        client.readUntil("\"aGVs\"");
      }
    }
    String kept = Files.readString(file);
    assertTrue(kept.startsWith("before\n{\"QMP\": ") && kept.endsWith("\r\n"), kept);
  }

  @Test
  void devicesComeAndGoByCommand() throws Exception {
    Path socket = folder.resolve("socket");
    Path added = folder.resolve("added");
    try (RealMonitor monitor = new RealMonitor(PollerKind.AUTO)) {
      monitor.serve("socket,id=s,path=" + socket + ",server=on,wait=off", false);
      try (UnixClient client = new UnixClient(socket)) {
        client.send(NEGOTIATE);
        String address = "'addr':{'type':'unix','data':{'path':'" + added + "'}}";
        client.send(
            command(
                "chardev-add", "'id':'n','backend':{'type':'socket','data':{" + address + "}}"));
        client.readUntil(REPLY + REPLY);
        assertTrue(Files.exists(added));
        client.send(command("chardev-remove", "'id':'s'")).readUntil("Chardev 's' is busy");
        client.send(command("chardev-change", "'id':'n','backend':{'type':'null','data':{}}"));
        client.send(command("chardev-remove", "'id':'n'"));
        client.readUntil("busy\"}}\r\n" + REPLY + REPLY);
        assertFalse(Files.exists(added));
        client.send(command("chardev-remove", "'id':'n'")).readUntil("Chardev 'n' not found");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = PollerKind.class,
      names = {"IO_URING", "EPOLL"})
  void passedDescriptorGoesToItsCommand(PollerKind kind) throws Exception {
    Path socket = folder.resolve("socket");
    try (RealMonitor monitor = new RealMonitor(kind)) {
      monitor.serve("socket,id=s,path=" + socket + ",server=on,wait=off", false);
      Process client =
          new ProcessBuilder(
                  "python3",
                  "-c",
                  """
                  import socket, array, sys, os
                  s = socket.socket(socket.AF_UNIX)
                  s.connect(sys.argv[1])
                  s.sendall(b"{'execute':'qmp_capabilities'}")
                  take = b"{'execute':'take-descriptor'}"
                  s.sendall(take)
                  socket.send_fds(s, [take], [0, 1])
                  s.sendall(take + b"{'execute':'query-version','id':1}")
                  text = b''
                  while b'"id": 1' not in text: text += s.recv(4096)
                  print(text.decode())
                  """,
                  socket.toString())
              .redirectErrorStream(true)
              .start();
      String output =
          new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
      List<String> lines = output.lines().toList();
      assertEquals("{\"return\": -1}", lines.get(2), output);
      assertTrue(lines.get(3).matches("\\{\"return\": \\d+}"), output);
      assertEquals("{\"return\": -1}", lines.get(4), output);
    }
  }

  @Test
  void telnetSocketSpeaksTelnet() throws Exception {
    Path socket = folder.resolve("socket");
    try (RealMonitor monitor = new RealMonitor(PollerKind.AUTO)) {
      monitor.serve("socket,id=s,telnet=on,path=" + socket + ",server=on,wait=off", false);
      try (UnixClient client = new UnixClient(socket)) {
        client.send("\u00ff\u00fd\u0001{'execute':\u00ff\u00fb\u0003'qmp_capabilities'}");
        String text = client.readUntil(REPLY);
        assertTrue(
            text.startsWith(
                "\u00ff\u00fb\u0001\u00ff\u00fb\u0003\u00ff\u00fb\u0000\u00ff\u00fd\u0000{\"QMP\""));
      }
    }
  }

  @Test
  void clientConnectsAgain() throws Exception {
    Path socket = folder.resolve("socket");
    try (RealMonitor server = new RealMonitor(PollerKind.AUTO);
        RealMonitor client = new RealMonitor(PollerKind.AUTO)) {
      client.serve("socket,id=c,path=" + socket + ",reconnect=1", false);
      server.serve("ringbuf,id=r", false);
      client.call(
          () -> {
            while (client.notices.isEmpty()) {
              org.tinamou.aio.Coroutine.yieldNow();
            }
            return true;
          });
      assertEquals(
          List.of(
              "Unable to connect character device c: Failed to connect to '"
                  + socket
                  + "': No such file or directory"),
          client.notices);
      // A server that waits for its first client.
      server.serve("socket,id=s,path=" + socket + ",server=on", false);
      assertEquals(
          "info: QEMU waiting for connection on: disconnected:unix:" + socket + ",server=on",
          server.notices.getFirst());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = PollerKind.class,
      names = {"IO_URING", "EPOLL"})
  void commandsOfAFileAreCarriedOut(PollerKind kind) throws Exception {
    Path in = folder.resolve("in");
    Path out = folder.resolve("out");
    Files.writeString(in, NEGOTIATE + "{'execute':'query-version','id':1}".repeat(30));
    try (RealMonitor monitor = new RealMonitor(kind)) {
      monitor.serve("file,id=f,path=" + folder.resolve("unused"), false);
      monitor.serve(new CharOptions("f2", new CharSpec.File(in, out, false)), false);
      monitor.awaitSessions(1);
    }
    assertEquals(32, Files.readAllLines(out).size());
  }
}
