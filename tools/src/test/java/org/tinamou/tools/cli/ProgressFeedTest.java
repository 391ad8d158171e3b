package org.tinamou.tools.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;

/** What programs are told of progress, with a clock that stands still unless it is moved. */
class ProgressFeedTest {
  private static final long SECOND = 1_000_000_000L;

  private static final class HandClock implements Clocks {
    private long now = 5 * SECOND;

    @Override
    public long nanos(ClockType clock) {
      return now;
    }

    @Override
    public boolean isRunning(ClockType clock) {
      return true;
    }

    @Override
    public void onChange(Runnable listener) {}

    @Override
    public void removeListener(Runnable listener) {}
  }

  private final HandClock clock = new HandClock();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ProgressFeed feed = new ProgressFeed(out, clock);

  private void assertTold(String... lines) {
    String expected = lines.length == 0 ? "" : String.join("\n", lines) + "\n";
    assertEquals(expected, out.toString(StandardCharsets.UTF_8));
    out.reset();
  }

  @Test
  void percentagesHaveOneDecimal() {
    feed.phase("copying", 1000);
    assertTold(
        "{\"phase\": \"copying\", \"percent\": 0, \"done\": 0, \"total\": 1000, \"remaining\":"
            + " 1000, \"bytes-per-second\": 0}");
    clock.now += SECOND;
    feed.set(113, 1000);
    assertTold(
        "{\"phase\": \"copying\", \"percent\": 11.3, \"done\": 113, \"total\": 1000, \"remaining\":"
            + " 887, \"bytes-per-second\": 113, \"seconds-left\": 8}");
  }

  @Test
  void ratesAreOfThePhaseAndNotOfTheCommand() {
    feed.phase("comparing what is there", 500);
    clock.now += 100 * SECOND;
    feed.phase("copying", 1000);
    clock.now += SECOND;
    out.reset();
    feed.set(500, 1000);
    assertTold(
        "{\"phase\": \"copying\", \"percent\": 50, \"done\": 500, \"total\": 1000, \"remaining\":"
            + " 500, \"bytes-per-second\": 500, \"seconds-left\": 1}");
  }

  @Test
  void whatIsNothingIsDoneAtOnce() {
    feed.phase("copying", 0);
    assertTold(
        "{\"phase\": \"copying\", \"percent\": 100, \"done\": 0, \"total\": 0, \"remaining\": 0,"
            + " \"bytes-per-second\": 0, \"seconds-left\": 0}");
    feed.set(100);
    feed.phase("done");
    assertTold(
        "{\"phase\": \"done\", \"percent\": 100, \"done\": 0, \"total\": 0, \"remaining\": 0,"
            + " \"bytes-per-second\": 0, \"seconds-left\": 0}");
  }

  @Test
  void withoutAKnownEndThereIsNoPercentage() {
    feed.phaseWithoutEnd("copying");
    clock.now += 2 * SECOND;
    feed.reached(1 << 20);
    clock.now += 2 * SECOND;
    feed.set(2 << 20, 2 << 20);
    assertTold(
        "{\"phase\": \"copying\", \"done\": 0, \"bytes-per-second\": 0}",
        "{\"phase\": \"copying\", \"done\": 1048576, \"bytes-per-second\": 524288}",
        "{\"phase\": \"copying\", \"percent\": 100, \"done\": 2097152, \"total\": 2097152,"
            + " \"remaining\": 0, \"bytes-per-second\": 524288, \"seconds-left\": 0}");
  }

  @Test
  void whatIsNotCountedHasAPercentageOnly() {
    feed.phase("comparing what is there", 10);
    out.reset();
    feed.uncounted("looking for data");
    assertTold("{\"phase\": \"looking for data\", \"percent\": 0}");
  }

  @Test
  void linesAreAtLeastATenthOfASecondApartUnlessSomebodyAsks() {
    feed.set(0f);
    feed.set(1f);
    clock.now += SECOND / 20;
    feed.set(2f);
    feed.tellNow();
    clock.now += SECOND / 10;
    feed.set(33.333f);
    assertTold(
        "{\"phase\": \"starting\", \"percent\": 0}",
        "{\"phase\": \"starting\", \"percent\": 2}",
        "{\"phase\": \"starting\", \"percent\": 33.3}");
  }
}
