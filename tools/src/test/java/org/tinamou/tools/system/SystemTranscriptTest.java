package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;
import org.tinamou.tools.nbd.Programs;

/** The same commands for our machine and for the reference's: the same answers and events. */
final class SystemTranscriptTest {
  private static final String COMMANDS =
      """
      {"execute":"qmp_capabilities"}
      {"execute":"query-status"}
      {"execute":"cont"}
      {"execute":"query-status"}
      {"execute":"stop"}
      {"execute":"stop"}
      {"execute":"system_reset"}
      {"execute":"system_powerdown"}
      {"execute":"system_wakeup"}
      {"execute":"query-name"}
      {"execute":"query-uuid"}
      {"execute":"query-target"}
      {"execute":"query-current-machine"}
      {"execute":"query-cpus-fast"}
      {"execute":"query-pr-managers"}
      {"execute":"device_add","arguments":{"driver":"foo"}}
      {"execute":"device_add","arguments":{}}
      {"execute":"device_del","arguments":{"id":"foo"}}
      {"execute":"device-list-properties","arguments":{"typename":"foo"}}
      {"execute":"query-block"}
      {"execute":"query-blockstats"}
      {"execute":"query-named-block-nodes","arguments":{"flat":true}}
      {"execute":"x-debug-query-block-graph"}
      {"execute":"eject","arguments":{"device":"a"}}
      {"execute":"eject","arguments":{"device":"a"}}
      {"execute":"eject","arguments":{"device":"nope"}}
      {"execute":"eject","arguments":{}}
      {"execute":"eject","arguments":{"id":"b"}}
      {"execute":"eject","arguments":{"device":"a","id":"b"}}
      {"execute":"blockdev-open-tray","arguments":{"device":"c"}}
      {"execute":"blockdev-open-tray","arguments":{"id":"c"}}
      {"execute":"blockdev-close-tray","arguments":{"device":"c"}}
      {"execute":"blockdev-remove-medium","arguments":{"id":"c"}}
      {"execute":"blockdev-insert-medium","arguments":{"id":"a","node-name":"zz"}}
      {"execute":"blockdev-change-medium","arguments":
          {"device":"a","filename":"@/a.raw","format":"raw"}}
      {"execute":"blockdev-change-medium","arguments":{"device":"c","filename":"@/missing"}}
      {"execute":"blockdev-change-medium","arguments":{"device":"nope","filename":"x"}}
      {"execute":"query-block"}
      {"execute":"block_set_io_throttle","arguments":
          {"device":"c","bps":0,"bps_rd":0,"bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}
      {"execute":"block_set_io_throttle","arguments":
          {"device":"b","bps":0,"bps_rd":0,"bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}
      {"execute":"block_set_io_throttle","arguments":
          {"device":"c","bps":1,"bps_rd":1,"bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}
      {"execute":"block-latency-histogram-set","arguments":{"id":"nope"}}
      {"execute":"block_resize","arguments":{"device":"c","size":1024}}
      {"execute":"blockdev-del","arguments":{"node-name":"zz"}}
      {"execute":"blockdev-add","arguments":{"driver":"null-co","node-name":"a"}}
      {"execute":"quit"}
      """;

  @TempDir Path folder;

  private List<String> words() {
    List<String> words = new ArrayList<>(List.of("-S", "-name", "guest=foo"));
    words.addAll(List.of("-drive", "if=none,id=a,file=" + folder + "/a.raw,format=raw"));
    words.addAll(List.of("-drive", "if=none,id=b"));
    words.addAll(List.of("-drive", "if=none,id=c,driver=null-co,cache=unsafe"));
    words.addAll(List.of("-drive", "driver=null-co,read-only=on"));
    words.addAll(List.of("-blockdev", "null-co,node-name=zz"));
    return words;
  }

  @Test
  void answersAsTheReferenceDoes() throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    java.nio.file.Files.write(folder.resolve("a.raw"), new byte[1 << 20]);
    String commands = COMMANDS.strip().replace("@", folder.toString());
    List<String> theirs = MachineTalk.reference(folder, words(), commands).lines();
    MachineTalk ours = MachineTalk.ours(folder, words(), commands);
    assertEquals(List.of(), MachineTalk.differences(theirs, ours.lines()));
    assertEquals("", ours.err());
  }

  /** Of those that only a guest's device causes, too. */
  @Test
  void introspectionTellsOfTheSameEventsOfDisks() throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    String commands =
        """
        {"execute":"qmp_capabilities"}
        {"execute":"query-qmp-schema"}
        {"execute":"quit"}
        """;
    Set<String> theirs = eventsOfDisks(MachineTalk.reference(folder, List.of(), commands));
    assertTrue(theirs.contains("BLOCK_IO_ERROR") && theirs.contains("DEVICE_TRAY_MOVED"));
    assertEquals(theirs, eventsOfDisks(MachineTalk.ours(folder, List.of(), commands)));
  }

  private static Set<String> eventsOfDisks(MachineTalk talk) {
    Set<String> events = new TreeSet<>();
    Matcher event =
        Pattern.compile("\"name\": \"([A-Z_]+)\"[^{}]*\"meta-type\": \"event\"")
            .matcher(String.join("\n", talk.lines()));
    while (event.find()) {
      if (event.group(1).matches("(BLOCK|JOB|QUORUM|DEVICE_TRAY)_.*")) {
        events.add(event.group(1));
      }
    }
    return events;
  }

  /** Drives that people add, commit and remove while the machine is there. */
  @Test
  void drivesComeAndGoAsInTheReference() throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    StringBuilder commands = new StringBuilder("{'execute':'qmp_capabilities'}\n");
    String image = ",file=" + folder.resolve("top.qcow2");
    for (String line :
        List.of(
            "commit",
            "commit nope",
            "drive_add 0 if=none,id=empty",
            "commit empty",
            "drive_add 0 if=none,id=top" + image,
            "qemu-io top \\\"write -P 7 64k 64k\\\"",
            "qemu-io top \\\"write -z 0 4k\\\"",
            "drive_add 0 if=none,id=top" + image,
            "drive_add 0 if=ide",
            "drive_add -n 0 driver=null-co",
            "drive_add -n 0 driver=null-co,node-name=nulls",
            "commit all",
            "commit top",
            "qemu-io top \\\"read -P 7 64k 64k\\\"",
            "qemu-io top map",
            "savevm x",
            "delvm x",
            "drive_del nulls",
            "drive_del nulls",
            "delvm x",
            "info block top",
            "drive_del top",
            "drive_add 0 if=none,read-only=on,id=top" + image,
            "commit top",
            "info name",
            "info uuid",
            "info block")) {
      commands.append("{'execute':'human-monitor-command','arguments':{'command-line':\"");
      commands.append(line).append("\"}}\n");
    }
    commands.append("{'execute':'quit'}");
    make();
    MachineTalk theirs = MachineTalk.reference(folder, words(), commands.toString());
    make();
    MachineTalk ours = MachineTalk.ours(folder, words(), commands.toString());
    assertEquals(List.of(), MachineTalk.differences(unnamed(theirs), unnamed(ours)));
    assertEquals(withoutTimes(theirs.out()), withoutTimes(ours.out()));
    assertTrue(ours.out().contains("read 65536/65536 bytes at offset 65536"), ours.out());
  }

  private static String withoutTimes(String text) {
    return text.replaceAll("[0-9.]+ sec .*", "");
  }

  private void make() throws Exception {
    java.nio.file.Files.write(folder.resolve("a.raw"), new byte[1 << 20]);
    String base = folder.resolve("base.qcow2").toString();
    String top = folder.resolve("top.qcow2").toString();
    ToolRun.img("create", "-q", "-f", "qcow2", base, "1M");
    ToolRun.img("create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", top);
  }

  private static List<String> unnamed(MachineTalk talk) {
    return talk.lines().stream().map(line -> line.replaceAll("#block[0-9]+", "#block")).toList();
  }
}
