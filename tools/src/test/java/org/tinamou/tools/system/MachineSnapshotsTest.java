package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.Parsed;
import org.tinamou.daemon.MonitoredDaemon;
import org.tinamou.jobs.Job;
import org.tinamou.jobs.JobStatus;
import org.tinamou.monitor.CommandContext;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.OptionException;
import org.tinamou.tools.nbd.Programs;

/** Machines are saved and restored inside of their images with the reference's words. */
final class MachineSnapshotsTest {
  private static final List<String> LINES =
      List.of(
          "info snapshots",
          "savevm one",
          "info snapshots",
          "qemu-io x \"write -P 7 0 64k\"",
          "delvm only",
          "savevm two",
          "savevm one",
          "info snapshots",
          "qemu-io x \"write -P 9 0 64k\"",
          "loadvm one",
          "qemu-io x \"read -P 7 0 64k\"",
          "loadvm nope",
          "loadvm disk",
          "info status",
          "delvm one",
          "delvm nope",
          "info snapshots");

  @TempDir Path folder;

  private void makeImages() throws Exception {
    Programs.require("qemu-img");
    for (String name : List.of("x", "y")) {
      String image = folder.resolve(name + ".qcow2").toString();
      Files.deleteIfExists(Path.of(image));
      run("qemu-img", "create", "-q", "-f", "qcow2", image, "8M");
      run("qemu-img", "snapshot", "-c", "disk", image);
    }
    run("qemu-img", "snapshot", "-c", "only", folder.resolve("y.qcow2").toString());
    Files.write(folder.resolve("r.raw"), new byte[1 << 20]);
  }

  private static void run(String... command) throws Exception {
    assertEquals(0, Programs.run(List.of(command)).exitCode());
  }

  private static String commands(List<String> lines) {
    StringBuilder commands = new StringBuilder("{'execute': 'qmp_capabilities'}");
    for (String line : lines) {
      commands
          .append("{'execute': 'human-monitor-command', 'arguments': {'command-line': '")
          .append(line)
          .append("'}}");
    }
    return commands.append("{'execute': 'quit'}").toString();
  }

  /** Without what depends on the time and on how much a machine has to say of itself. */
  private static List<String> comparable(MachineTalk talk) {
    List<String> lines = new ArrayList<>();
    for (String line : talk.lines()) {
      lines.add(
          line.replaceAll("20[-0-9]+ [:0-9]+ [:.0-9]+", "DATE")
              .replaceAll(" +[.0-9]+ (Ki)?B +DATE", " SIZE DATE")
              .replaceAll("vm-[0-9]{14}", "vm-NOW"));
    }
    return lines;
  }

  private void compare(List<String> words, List<String> lines) throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    makeImages();
    Files.deleteIfExists(folder.resolve("reference"));
    Files.deleteIfExists(folder.resolve("ours"));
    List<String> theirs = comparable(MachineTalk.reference(folder, words, commands(lines)));
    makeImages();
    MachineTalk ours = MachineTalk.ours(folder, words, commands(lines));
    assertEquals(List.of(), MachineTalk.differences(theirs, comparable(ours)));
  }

  private String drive(String name, String file) {
    return "if=none,id=" + name + ",file=" + folder.resolve(file);
  }

  @Test
  void drivesAreSavedAndRestoredTogether() throws Exception {
    compare(List.of("-drive", drive("x", "x.qcow2"), "-drive", drive("y", "y.qcow2")), LINES);
    for (String name : List.of("x", "y")) {
      run("qemu-img", "check", "-q", folder.resolve(name + ".qcow2").toString());
    }
  }

  @Test
  void everyDiskThatIsWrittenToHasToKeepSnapshots() throws Exception {
    List<String> lines = List.of("info snapshots", "savevm a", "loadvm disk", "delvm disk");
    String raw = drive("r", "r.raw") + ",format=raw";
    compare(List.of("-drive", drive("x", "x.qcow2"), "-drive", raw), lines);
    compare(List.of("-drive", raw), lines);
    compare(List.of("-drive", drive("x", "x.qcow2"), "-drive", raw + ",readonly=on"), lines);
    compare(List.of(), lines);
  }

  private static Json.Members json(String text) {
    return (Json.Members) ((Parsed.Value<Json>) JsonParser.parse(text.replace('\'', '"'))).value();
  }

  /** Carries a job out; returns what went wrong, or nothing. */
  private static String job(MonitoredDaemon daemon, String command, String arguments)
      throws Exception {
    daemon.commands().run(command, json("{'job-id': 'j', " + arguments + "}"), CommandContext.NONE);
    Job job = daemon.daemon().jobs().get("j");
    while (job.status() != JobStatus.CONCLUDED) {
      Coroutine.yieldNow();
    }
    String error = job.info().error();
    daemon.commands().run("job-dismiss", json("{'id': 'j'}"), CommandContext.NONE);
    return error == null ? "" : error;
  }

  @Test
  void jobsDoTheSame() throws Exception {
    makeImages();
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      main.runUntilDone(
          "test",
          () -> {
            useJobs(main);
            return true;
          });
    }
    run("qemu-img", "check", "-q", folder.resolve("x.qcow2").toString());
  }

  private void useJobs(AioContext main) throws Exception {
    MonitoredDaemon daemon =
        new MonitoredDaemon(
            main,
            (name, polling) -> {
              throw new OptionException("no loops here");
            },
            line -> {});
    SystemCommands.addTo(daemon.commands(), daemon.daemon(), SystemArguments.parse(List.of()));
    for (String name : List.of("x", "y")) {
      daemon
          .commands()
          .run(
              "blockdev-add",
              json(
                  "{'driver': 'qcow2', 'node-name': '%s', 'file': {'driver': 'file', 'filename': '%s'}}"
                      .formatted(name, folder.resolve(name + ".qcow2"))),
              CommandContext.NONE);
    }
    String both = "'devices': ['x', 'y']";
    String state = "'tag': 'a', 'vmstate': 'y', ";
    assertEquals("", job(daemon, "snapshot-save", state + both));
    assertEquals(
        "Snapshot 'a' already exists in one or more devices",
        job(daemon, "snapshot-save", state + both));
    assertEquals(
        "vmstate block device 'y' does not exist",
        job(daemon, "snapshot-load", state + "'devices': ['x']"));
    assertTrue(!daemon.daemon().isRunning(), "what cannot be restored stays stopped");
    daemon.commands().run("cont", json("{}"), CommandContext.NONE);
    assertEquals("", job(daemon, "snapshot-load", state + both));
    assertTrue(daemon.daemon().isRunning());
    assertEquals(
        "This is a disk-only snapshot. Revert to it  offline using qemu-img",
        job(daemon, "snapshot-load", "'tag': 'disk', 'vmstate': 'y', " + both));
    assertEquals("", job(daemon, "snapshot-delete", "'tag': 'a', " + both));
    assertEquals(
        "Snapshot 'a' does not exist in one or more devices",
        job(daemon, "snapshot-load", state + both));
    assertEquals(
        "No block device node 'z'", job(daemon, "snapshot-delete", "'tag': 'a', 'devices': ['z']"));
    assertEquals(
        "At least one device is required for snapshot",
        job(daemon, "snapshot-delete", "'tag': 'a', 'devices': []"));
    daemon.close();
  }
}
