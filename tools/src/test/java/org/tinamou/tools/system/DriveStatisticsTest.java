package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.nbd.Programs;

/** What is counted of drives is what their options and commands ask for. */
final class DriveStatisticsTest {
  private static final String HUMAN =
      "{'execute':'human-monitor-command','arguments':{'command-line':\"%s\"}}\n";

  @TempDir Path folder;

  @Test
  void optionsAreThoseOfTheReference() throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    String drive =
        "if=none,driver=null-co,stats-account-invalid=off,stats-account-failed=off,"
            + "stats-intervals.0=5,stats-intervals.1=60";
    String commands =
        "{'execute':'qmp_capabilities'}\n"
            + HUMAN.formatted("qemu-io none0 \\\"read 0 4k\\\"")
            + "{'execute':'query-blockstats'}\n{'execute':'quit'}";
    List<String> theirs = MachineTalk.reference(folder, List.of("-drive", drive), commands).lines();
    assertEquals(
        List.of(),
        MachineTalk.differences(
            theirs, MachineTalk.ours(folder, List.of("-drive", drive), commands).lines()));
    assertTrue(theirs.toString().contains("interval_length"), theirs::toString);
  }

  /** Which the reference does not tell: only who asks by another command sees it. */
  @Test
  void requestsAreCountedByContext() throws Exception {
    String commands =
        "{'execute':'qmp_capabilities'}\n"
            + HUMAN.formatted("qemu-io d \\\"read 0 64k\\\"")
            + "{'execute':'x-query-blockstats-by-context'}\n"
            + "{'execute':'query-blockstats'}\n{'execute':'quit'}";
    List<String> lines =
        MachineTalk.ours(folder, List.of("-drive", "if=none,id=d,driver=null-co"), commands)
            .lines();
    List<String> told = lines.stream().filter(line -> line.contains("rd_bytes")).toList();
    assertEquals(2, told.size(), lines::toString);
    for (String each :
        List.of(
            "\"device\": \"d\"",
            "\"context\": \"main\"",
            "\"rd_bytes\": 65536",
            "\"rd_operations\": 1")) {
      assertTrue(told.getFirst().contains(each), told::getFirst);
    }
    assertTrue(!told.getLast().contains("context"), told::getLast);
  }

  @Test
  void latenciesAreCountedBetweenBoundaries() throws Exception {
    String commands =
        "{'execute':'qmp_capabilities'}\n"
            + "{'execute':'block-latency-histogram-set','arguments':{'id':'d','boundaries':[5,3]}}\n"
            + "{'execute':'block-latency-histogram-set','arguments':{'id':'d','boundaries-read':[1000000000000]}}\n"
            + HUMAN.formatted("qemu-io d \\\"aio_read 0 4k\\\"")
            + HUMAN.formatted("qemu-io d aio_flush")
            + "{'execute':'query-blockstats'}\n"
            + "{'execute':'block-latency-histogram-set','arguments':{'id':'d'}}\n"
            + "{'execute':'query-blockstats'}\n{'execute':'quit'}";
    List<String> lines =
        MachineTalk.ours(folder, List.of("-drive", "if=none,id=d,driver=null-co"), commands)
            .lines();
    String all = String.join("\n", lines);
    assertTrue(all.contains("Device 'd' set read boundaries fail"), all);
    List<String> told = lines.stream().filter(line -> line.contains("rd_bytes")).toList();
    assertEquals(2, told.size(), all);
    assertTrue(told.getFirst().contains("rd_latency_histogram"), all);
    assertTrue(told.getFirst().contains("[1, 0]"), all);
    assertTrue(!told.getLast().contains("histogram"), all);
  }
}
