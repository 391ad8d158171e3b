package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.nbd.Programs;

/** Limits of drives are set, shared, told and refused as by the reference. */
final class DriveLimitsTest {
  private static final List<String> WORDS =
      List.of(
          "-drive", "if=none,id=d0,driver=null-co",
          "-drive", "if=none,id=d1,driver=null-co,bps=4096,throttling.group=g",
          "-drive",
              "if=none,id=d2,driver=null-co,throttling.iops-total=5,throttling.iops-size=512,"
                  + "throttling.group=g");

  private static final String COMMANDS =
      """
      {"execute":"qmp_capabilities"}
      {"execute":"query-block"}
      {"execute":"block_set_io_throttle","arguments":{"device":"d0","bps":1000,"bps_rd":0,
          "bps_wr":0,"iops":0,"iops_rd":10,"iops_wr":0,"iops_rd_max":30,"iops_rd_max_length":2,
          "iops_size":4096}}
      {"execute":"query-block"}
      {"execute":"query-named-block-nodes","arguments":{"flat":true}}
      {"execute":"block_set_io_throttle","arguments":{"device":"d1","bps":2000,"bps_rd":0,
          "bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0,"group":"g"}}
      {"execute":"query-block"}
      {"execute":"block_set_io_throttle","arguments":{"device":"d1","bps":2000,"bps_rd":1,
          "bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}
      {"execute":"block_set_io_throttle","arguments":{"device":"d2","bps":500,"bps_rd":0,
          "bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0,"group":"other"}}
      {"execute":"block_set_io_throttle","arguments":{"device":"nope","bps":0,"bps_rd":0,
          "bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}
      {"execute":"block_set_io_throttle","arguments":{"device":"d0","bps":0,"bps_rd":0,
          "bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}
      {"execute":"human-monitor-command","arguments":{"command-line":"info block d1"}}
      {"execute":"query-block"}
      {"execute":"quit"}
      """;

  @TempDir Path folder;

  @Test
  void answersAsTheReferenceDoes() throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    List<String> theirs = MachineTalk.reference(folder, WORDS, COMMANDS).lines();
    List<String> ours = MachineTalk.ours(folder, WORDS, COMMANDS).lines();
    assertEquals(List.of(), MachineTalk.differences(theirs, ours));
  }
}
