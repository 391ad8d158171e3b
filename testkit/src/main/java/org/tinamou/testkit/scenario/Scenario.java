package org.tinamou.testkit.scenario;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.Stream;
import org.tinamou.testkit.sim.Simulation;

/**
 * One situation of the catalogue.
 *
 * @param ids its names there, e.g. "D10 S17"
 * @param title what happens, in words
 * @param body builds and plays it, as a coroutine of the main loop
 */
public record Scenario(String ids, String title, Body body) {
  /** Faults may happen for so long, and then everything has to end within as many steps. */
  private static final long MAX_STEPS = 200_000;

  /** What a scenario does. */
  @FunctionalInterface
  public interface Body {
    void play(Stage stage) throws Exception;
  }

  /** All of them. */
  public static final List<Scenario> ALL =
      Stream.of(
              DrainScenarios.all(),
              DrainChangeScenarios.all(),
              GraphScenarios.all(),
              ReopenScenarios.all(),
              RequestScenarios.all(),
              MoveScenarios.all(),
              JobScenarios.all(),
              MirrorScenarios.all(),
              ChainScenarios.all(),
              LeavingScenarios.all())
          .flatMap(List::stream)
          .toList();

  /** The scenarios of which one id is that. */
  public static List<Scenario> named(String id) {
    return ALL.stream().filter(each -> List.of(each.ids.split(" ")).contains(id)).toList();
  }

  /**
   * Plays it once, and checks that everything has ended and nothing is left.
   *
   * @throws org.tinamou.testkit.sim.Violation if something did not hold
   */
  public void play(Simulation simulation) {
    // Not an arena that is closed: that stops all threads, once for each run.
    Stage stage = new Stage(simulation, Arena.ofAuto());
    stage
        .main()
        .spawn(
            "scenario",
            () -> {
              body.play(stage);
              stage.strike();
            });
    if (!simulation.run(MAX_STEPS)) {
      simulation.require(false, "I9", "still busy: " + this + "\n" + stage);
    }
    simulation.checkAtRest();
    simulation.closeLoops();
  }

  @Override
  public String toString() {
    return ids + " " + title;
  }
}
