package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.tools.nbd.OurServer;

/** What is told when a machine, or the medium of a drive, goes. */
final class MachineEndTest {
  private static final String SHUTDOWN =
      "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": \"host-qmp-quit\"}}";
  private static final String DONE = "{\"return\": {}}";

  @TempDir Path folder;

  @Test
  void withoutServersTheEndIsToldBeforeTheAnswer() throws Exception {
    List<String> lines =
        MachineTalk.ours(
                folder,
                List.of("-drive", "if=none,driver=null-co,id=d"),
                "{'execute': 'qmp_capabilities'}{'execute': 'quit'}")
            .lines();
    assertEquals(List.of(DONE, SHUTDOWN, DONE), lines.subList(1, lines.size()));
  }

  @Test
  void whatAServerKeepsIsFlushedBeforeTheEndIsTold() throws Exception {
    Path image = folder.resolve("disk.raw");
    Files.write(image, new byte[1 << 20]);
    try (OurServer server =
        OurServer.start(PollerKind.AUTO, image, "raw", folder.resolve("server"))) {
      List<String> lines =
          MachineTalk.ours(
                  folder,
                  List.of("-drive", "if=none,format=raw,id=d,file=" + server.uri()),
                  "{'execute': 'qmp_capabilities'}"
                      + "{'execute': 'human-monitor-command', 'arguments':"
                      + " {'command-line': 'qemu-io d \"write -P 7 0 512\"'}}"
                      + "{'execute': 'quit'}")
              .lines();
      assertEquals(
          List.of(DONE, "{\"return\": \"\"}", DONE, SHUTDOWN), lines.subList(1, lines.size()));
    }
    assertEquals(7, Files.readAllBytes(image)[511]);
  }

  @Test
  void anExportOfADriveEndsWithItsMedium() throws Exception {
    String path = folder.resolve("export").toString();
    List<String> lines =
        MachineTalk.ours(
                folder,
                List.of("-drive", "if=none,driver=null-co,id=d"),
                "{'execute': 'qmp_capabilities'}{'execute': 'nbd-server-start', 'arguments':"
                    + " {'addr': {'type': 'unix', 'data': {'path': '"
                    + path
                    + "'}}}}{'execute': 'nbd-server-add', 'arguments': {'device': 'd'}}"
                    + "{'execute': 'eject', 'arguments': {'device': 'd'}}"
                    + "{'execute': 'query-block-exports'}{'execute': 'quit'}")
            .lines();
    assertEquals(
        List.of(
            DONE,
            DONE,
            DONE,
            "{\"event\": \"BLOCK_EXPORT_DELETED\", \"data\": {\"id\": \"d\"}}",
            DONE,
            "{\"return\": []}",
            SHUTDOWN,
            DONE),
        lines.subList(1, lines.size()));
  }
}
