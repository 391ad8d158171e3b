package org.tinamou.testkit.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every commit runs ten thousand seeds, and every tenth of them twice. */
final class SeedsTest {
  private static String simulate(int expectedCode, String... arguments) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int code = new SimMain(new PrintStream(bytes, true, StandardCharsets.UTF_8)).run(arguments);
    String output = bytes.toString(StandardCharsets.UTF_8);
    assertEquals(expectedCode, code, output);
    return output;
  }

  @Test
  void loopsHoldTheirInvariants() throws Exception {
    simulate(0, "--workload", "loops", "--seeds", "5000");
  }

  @Test
  void diskHoldsItsInvariants() throws Exception {
    simulate(0, "--workload", "disk", "--seeds", "3000");
  }

  @Test
  void graphHoldsItsInvariants() throws Exception {
    simulate(0, "--workload", "graph", "--seeds", "2000");
  }

  @Test
  void nbdClientsAndServersHoldTheirInvariants() throws Exception {
    simulate(0, "--workload", "nbd", "--seeds", "1500");
  }

  @Test
  void readersOfASnapshotSeeTheDiskAsItWas() throws Exception {
    simulate(0, "--workload", "fleecing", "--seeds", "200");
  }

  @Test
  void backupsAreOfTheMomentOfTheirCreation() throws Exception {
    simulate(0, "--workload", "backup", "--seeds", "200");
  }

  @Test
  void jobsKeepTheirPromises() throws Exception {
    simulate(0, "--workload", "jobs", "--seeds", "150");
  }

  /** A part of the sequences of at most two operations; all of them take minutes. */
  @Test
  void qcow2ImagesSurvivePowerCuts() throws Exception {
    simulate(0, "--workload", "qcow2-crash", "--seeds", "72");
  }

  /** A part of them again, with all operations and with extended second-level entries. */
  @Test
  void imagesOfAllKindsSurvivePowerCuts() throws Exception {
    simulate(0, "--workload", "qcow2-crash-more", "--seeds", "30");
  }

  /** A part of what tools do, on all kinds of images; all of it takes minutes. */
  @Test
  void imagesSurvivePowerCutsUnderTools() throws Exception {
    simulate(0, "--workload", "qcow2-crash-tools", "--seeds", "30");
  }

  @Test
  void encryptedVolumesSurvivePowerCutsInTheirKeySlots() throws Exception {
    simulate(0, "--workload", "luks-crash", "--seeds", "40");
  }

  @Test
  void damagedQcow2ImagesAreRepairedInTwoPasses() throws Exception {
    simulate(0, "--workload", "qcow2-damage", "--seeds", "300");
  }

  @ParameterizedTest
  @EnumSource(Workload.Kind.class)
  void sameSeedIsSameRun(Workload.Kind kind) throws Exception {
    String seeds =
        switch (kind) {
          case QCOW2_CRASH, QCOW2_CRASH_MORE -> "10"; // each is hundreds of cuts
          case QCOW2_CRASH_TOOLS, LUKS_CRASH -> "6";
          case FLEECING, BACKUP, QCOW2_DAMAGE, TOUCHSTONE -> "50";
          case JOBS -> "25";
          default -> "300";
        };
    simulate(0, "--workload", kind.name(), "--seeds", seeds, "--first", "100000", "--twice");
  }

  @ParameterizedTest
  @EnumSource(Workload.Kind.class)
  void differentSeedsAreDifferentRuns(Workload.Kind kind) {
    SeedRun one = SeedRun.of(kind, 1, false);
    SeedRun other = SeedRun.of(kind, 2, false);
    assertNull(one.violation());
    assertNotEquals(one.hash(), other.hash());
  }

  @Test
  void aSeedIsToldInDetail() throws Exception {
    String output = simulate(0, "--workload", "loops", "--seed", "7");
    assertTrue(output.contains("seed 7 of loops"), output);
    assertTrue(output.contains("no violation"), output);
  }
}
