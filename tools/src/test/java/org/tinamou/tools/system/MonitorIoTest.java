package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.nbd.Programs;

/** The tool's commands in the monitor print and answer what the reference's do. */
final class MonitorIoTest {
  private static final List<String> LINES =
      List.of(
          "qemu-io d0 \"write 0 64k\"",
          "qemu-io d0 \"read -P 1 0 64k\"",
          "qemu-io d0 read",
          "qemu-io n0 \"write -P 5 0 64k\"",
          "qemu-io n0 \"read -P 5 0 64k\"",
          "qemu-io ro \"write 0 64k\"",
          "qemu-io nope \"write 0 64k\"",
          "qemu-io -d d0 \"write 0 64k\"",
          "qemu-io empty \"write 0 64k\"",
          "qemu-io d0 \"write 2M 64k\"",
          "qemu-io d0 \"aio_write 0 64k\"",
          "qemu-io d0 aio_flush",
          "qemu-io n0 \"aio_write 0 64k\"",
          "qemu-io d0 length",
          "qemu-io d0 \"truncate 2M\"",
          "qemu-io d0 length",
          "qemu-io d0 \"discard 0 64k\"",
          "qemu-io d0 \"reopen -r\"",
          "qemu-io d0 \"write 0 64k\"",
          "qemu-io d0 \"read 0 512\" extra",
          "qemu-io d0",
          "qemu-io file0 \"write 0 64k\"",
          "qemu-io d0 \"break write_aio A\"",
          "info block d0");

  @TempDir Path folder;

  private List<String> words() {
    return List.of(
        "-drive", "if=none,id=d0,format=raw,node-name=dn,file=" + folder + "/a.raw",
        "-drive", "if=none,id=empty",
        "-blockdev", "file,node-name=file0,filename=" + folder + "/b.raw",
        "-blockdev", "raw,file=file0,node-name=n0",
        "-blockdev", "null-co,node-name=below,read-only=on",
        "-blockdev", "raw,file=below,node-name=ro,read-only=on");
  }

  private static String commands() {
    StringBuilder commands = new StringBuilder("{'execute': 'qmp_capabilities'}");
    for (String line : LINES) {
      commands
          .append("{'execute': 'human-monitor-command', 'arguments': {'command-line': '")
          .append(line)
          .append("'}}");
    }
    return commands.append("{'execute': 'quit'}").toString();
  }

  private void makeImages() throws Exception {
    Files.write(folder.resolve("a.raw"), new byte[1 << 20]);
    Files.write(folder.resolve("b.raw"), new byte[1 << 20]);
  }

  @Test
  void printsAndAnswersAsTheReferenceDoes() throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    makeImages();
    MachineTalk theirs = MachineTalk.reference(folder, words(), commands());
    makeImages();
    MachineTalk ours = MachineTalk.ours(folder, words(), commands());
    assertEquals(List.of(), MachineTalk.differences(theirs.lines(), ours.lines()));
    assertEquals(withoutTimes(theirs.out()), withoutTimes(ours.out()));
    assertEquals(theirs.err(), ours.err());
  }

  private static String withoutTimes(String printed) {
    return printed.replaceAll("1 ops; .*", "1 ops");
  }
}
