package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

  /** What images and files are told by name they keep; the rest is what lies above them. */
  private static final List<String> REOPENED =
      List.of(
          "qemu-io d \"reopen -c none\"",
          "qemu-io d \"reopen -o cache.no-flush=on\"",
          "qemu-io d \"reopen -o backing.cache.direct=off\"",
          "qemu-io d \"reopen -o file.cache.no-flush=off,backing.file.cache.direct=on\"",
          "qemu-io d \"reopen -c unsafe\"",
          "qemu-io d \"reopen -o backing.nope=on\"",
          "qemu-io d \"reopen -o backing.file.nope=on\"",
          "qemu-io d \"reopen -o file.filename=x\"",
          "qemu-io apart \"reopen -c none\"",
          "qemu-io apart \"reopen -o file.cache.direct=on\"",
          "snapshot_blkdev -n d snap.qcow2 qcow2",
          "qemu-io d \"reopen -c directsync\"",
          "qemu-io n \"reopen -o cache.no-flush=off\"");

  private List<String> chain() {
    return List.of(
        "-drive",
        "if=none,id=d,node-name=n,file.node-name=f,backing.node-name=b,backing.file.node-name=bf,"
            + "file="
            + folder
            + "/top.qcow2",
        "-drive",
        "if=none,id=below,driver=file,node-name=own,filename=" + folder + "/a.raw",
        "-drive",
        "if=none,id=apart,file=json:{'driver':'raw',,'node-name':'r',,'file':'own'}");
  }

  private String reopening() {
    StringBuilder commands = new StringBuilder("{'execute': 'qmp_capabilities'}");
    for (String line : REOPENED) {
      commands
          .append("{'execute': 'human-monitor-command', 'arguments': {'command-line': '")
          .append(line.replace("snap.qcow2", folder.resolve("snap.qcow2").toString()))
          .append("'}}");
      for (String name : List.of("d", "n", "f", "b", "bf", "apart", "own")) {
        commands
            .append("{'execute': 'human-monitor-command', 'arguments': {'command-line': ")
            .append("'info block ")
            .append(name)
            .append("'}}");
      }
    }
    return commands.append("{'execute': 'quit'}").toString();
  }

  private void makeChain() throws Exception {
    makeImages();
    for (String name : List.of("base", "top", "snap")) {
      Files.deleteIfExists(folder.resolve(name + ".qcow2"));
    }
    Programs.require("qemu-img");
    String base = folder.resolve("base.qcow2").toString();
    create(base);
    create("-b", base, "-F", "qcow2", folder.resolve("top.qcow2").toString());
    create(folder.resolve("snap.qcow2").toString());
  }

  private static void create(String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of("qemu-img", "create", "-q", "-f", "qcow2"));
    command.addAll(List.of(words));
    command.add("1M");
    assertEquals(0, Programs.run(command).exitCode());
  }

  @Test
  void whatImagesBelowTakeOverIsTheReferences() throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    makeChain();
    MachineTalk theirs = MachineTalk.reference(folder, chain(), reopening());
    makeChain();
    MachineTalk ours = MachineTalk.ours(folder, chain(), reopening());
    assertEquals(List.of(), MachineTalk.differences(theirs.lines(), ours.lines()));
    assertEquals(theirs.out(), ours.out());
  }
}
