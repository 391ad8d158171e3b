package org.tinamou.conformance.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.tinamou.conformance.bad.drivers.Driver;

/**
 * Shows each rule the mistakes under {@code org.tinamou.conformance.bad}: it must find just those.
 */
class RulesCanFailTest {
  private static final String BAD = "org.tinamou.conformance.bad";
  private static final Pattern OFFENDER =
      Pattern.compile("(?:Method|Constructor|Class) <" + BAD + "\\.([^>(]+)");

  private static final JavaClasses CLASSES = new ClassFileImporter().importPackages(BAD);
  private static final Rooms ROOMS =
      Rooms.parse(
          List.of(
              "| room | what flows through it | may use |",
              "|---|---|---|",
              "| `base` | values | java.base |",
              "| `host` | calls | `base` |",
              "| `aio` | events | `host` |",
              "| `drivers` | requests | `aio`, `base` |",
              "| `testkit` | seeds; not shipped | `drivers` |"));

  @Test
  void aRoomMayUseWhatIsBelow() {
    assertEquals(Set.of("aio", "base", "drivers", "host"), ROOMS.reachableFrom("drivers"));
    assertEquals(Set.of("base"), ROOMS.reachableFrom("base"));
  }

  @Test
  void whatIsShippedIsInTheTable() {
    assertEquals(Set.of("aio", "base", "drivers", "host"), ROOMS.shipped());
  }

  @Test
  void anArrowUpIsFound() {
    assertEquals(Set.of("base.LooksUp.name"), offenders(ArrowRules.arrowsGoDown(BAD, ROOMS)));
  }

  @Test
  void aRoomThatIsNotInTheTableIsFound() {
    String report = report(ArrowRules.arrowsGoDown(BAD, ROOMS));
    assertTrue(report.contains("no room of ARCHITECTURE.md"), report);
    assertTrue(report.contains("cellar.Nowhere"), report);
  }

  @Test
  void nativeCallsOutsideHostAreFound() {
    assertEquals(
        Set.of("drivers.Driver.callsNativeCode"),
        offenders(ArrowRules.onlyHostCallsNativeCode(BAD)));
  }

  @Test
  void aSecondDoorIntoTheJdkIsFound() {
    Set<String> found = offenders(ArrowRules.oneDoorIntoTheJdk(BAD));
    assertTrue(found.contains("drivers.Driver.opensTheJdk"), found::toString);
  }

  @Test
  void blockingCallsAreFound() {
    assertEquals(
        Set.of(
            "drivers.Driver.awaits",
            "drivers.Driver.gets",
            "drivers.Driver.interrupts",
            "drivers.Driver.parksWithTime",
            "drivers.Driver.sleeps",
            "drivers.Driver.takes",
            "drivers.Driver.waits",
            "drivers.Driver.waitsInLambda"),
        offenders(BannedCalls.nothingBlocks(BAD, ROOMS.shipped())));
  }

  @Test
  void synchronizedMethodsAreFound() {
    assertEquals(
        Set.of("drivers.Driver.locksItself"),
        offenders(BannedCalls.noSynchronizedMethods(BAD, ROOMS.shipped())));
  }

  @Test
  void synchronizedBlocksAreFound() throws IOException {
    try (InputStream classFile = Driver.class.getResourceAsStream("Driver.class")) {
      assertEquals(
          List.of(BAD + ".drivers.Driver.entersMonitor"),
          Monitors.enteredIn(classFile.readAllBytes()));
    }
  }

  @Test
  void clocksRandomnessAndExitsAreFound() {
    assertEquals(
        Set.of("drivers.Driver.tellsTime"),
        offenders(BannedCalls.timeComesFromClocks(BAD, ROOMS.shipped())));
    assertEquals(
        Set.of("drivers.Driver.inventsNames", "drivers.Driver.rollsDice"),
        offenders(BannedCalls.chanceComesFromSeeds(BAD)));
    assertEquals(Set.of("drivers.Driver.leaves"), offenders(BannedCalls.onlyMainsExit(BAD)));
  }

  @Test
  void callsFromTheWrongThreadAreFound() {
    assertEquals(
        Set.of("aio.Threads.parksOnTheLoop", "aio.Threads.turnsFromAnyThread"),
        offenders(ThreadRules.categoriesHold(BAD)));
  }

  private static String report(ArchRule rule) {
    return rule.evaluate(CLASSES).getFailureReport().toString();
  }

  /** The methods named as origins in the rule's report. */
  private static Set<String> offenders(ArchRule rule) {
    Set<String> found = new TreeSet<>();
    for (String detail : rule.evaluate(CLASSES).getFailureReport().getDetails()) {
      Matcher offender = OFFENDER.matcher(detail);
      if (offender.find()) {
        found.add(offender.group(1));
      }
    }
    return found;
  }
}
