package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

  /** Read at its limit the mirror would take hours. */
  @Test
  void limitsDoNotHoldUpTheEnd() throws Exception {
    List<String> lines =
        MachineTalk.ours(
                folder,
                List.of(
                    "-object",
                    "throttle-group,id=g,x-bps-read=4096",
                    "-blockdev",
                    "driver=null-co,node-name=full,size=67108864",
                    "-blockdev",
                    "driver=throttle,node-name=slow,throttle-group=g,file=full",
                    "-blockdev",
                    "driver=null-co,node-name=target,size=67108864"),
                "{'execute': 'qmp_capabilities'}{'execute': 'blockdev-mirror', 'arguments':"
                    + " {'job-id': 'j', 'device': 'slow', 'target': 'target', 'sync': 'full'}}"
                    + "{'execute': 'quit'}")
            .lines();
    assertTrue(
        lines.stream().anyMatch(line -> line.contains("BLOCK_JOB_CANCELLED")), () -> "" + lines);
    assertTrue(lines.contains(SHUTDOWN), () -> "" + lines);
  }
}
