package org.tinamou.testkit.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.tinamou.testkit.sim.Disturbance;
import org.tinamou.testkit.sim.Simulation;
import org.tinamou.testkit.sim.Violation;

/**
 * Each scenario under some schedules; {@code ./tinamou sim --workload scenarios} takes as many as
 * one likes.
 */
final class ScenarioTest {
  private static final int SEEDS = 60;

  @TestFactory
  List<DynamicTest> holds() {
    return Scenario.ALL.stream()
        .map(each -> DynamicTest.dynamicTest(each.toString(), () -> playAll(each)))
        .toList();
  }

  private static void playAll(Scenario scenario) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      try {
        play(scenario, seed);
      } catch (Violation found) {
        fail(scenario + " with seed " + seed, found);
      }
    }
  }

  private static void play(Scenario scenario, long seed) {
    while (true) {
      try {
        scenario.play(new Simulation(seed, false));
        return;
      } catch (Disturbance again) {
        assertFalse(Thread.interrupted(), "loading classes should not take for ever");
      }
    }
  }

  @Test
  void theCatalogueIsCovered() {
    List<String> expected =
        List.of(
            "D1", "D2", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13", "D14",
            "D15", "D16", "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "S13", "S14",
            "S16", "S17", "S18", "S19", "S21", "S22", "S24", "S26", "S29", "S30", "S31", "S32",
            "S33", "D3", "D17", "J5", "J6", "J7", "J8", "S15", "S20", "S28", "S34");
    TreeSet<String> missing = new TreeSet<>(expected);
    for (String id : expected) {
      if (!Scenario.named(id).isEmpty()) {
        missing.remove(id);
      }
    }
    assertEquals(new TreeSet<String>(), missing);
  }
}
