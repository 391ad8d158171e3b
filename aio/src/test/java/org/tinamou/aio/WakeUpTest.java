package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ClockType;
import org.tinamou.host.LinuxFiles;

@OnEveryPoller
class WakeUpTest {
  private final LoopRig rig;

  WakeUpTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  /** Bottom halves of two loops that schedule each other; a lost wake-up ends the game early. */
  private final class PingPong {
    final CountDownLatch done;
    final AtomicInteger left;
    final BottomHalf[] sides = new BottomHalf[2];

    PingPong(AioContext one, AioContext two, AtomicInteger left, CountDownLatch done) {
      this.left = left;
      this.done = done;
      AioContext[] loops = {one, two};
      for (int i = 0; i < 2; i++) {
        int other = 1 - i;
        sides[i] =
            loops[i].bottomHalf(
                "side" + i,
                () -> {
                  if (left.decrementAndGet() >= 0) {
                    sides[other].schedule();
                  } else {
                    done.countDown();
                  }
                });
      }
    }
  }

  private void play(int balls, int pings) throws InterruptedException {
    AioContext one = rig.startThread("one").context();
    AioContext two = rig.startThread("two").context();
    AtomicInteger left = new AtomicInteger(pings);
    CountDownLatch done = new CountDownLatch(balls);
    for (int i = 0; i < balls; i++) {
      new PingPong(one, two, left, done).sides[i % 2].schedule();
    }
    done.await();
    assertTrue(left.get() <= 0);
    for (AioContext each : List.of(one, two)) {
      long polls = rig.poller(each).polls.get();
      assertTrue(polls <= 2L * pings, () -> polls + " polls for " + pings + " pings");
    }
  }

  @Test
  void a6_s1_aMillionPingsBetweenTwoThreadsLoseNoWakeUp() throws Exception {
    Set<Path> before = eventFds();
    play(1, 400_000);
    play(2, 300_000);
    play(7, 300_000);
    Set<Path> opened = eventFds();
    opened.removeAll(before);
    assertEquals(6, opened.size(), "one descriptor to wake each loop with");
    long writes = opened.stream().mapToLong(WakeUpTest::count).sum();
    long waits = rig.allPollers().stream().mapToLong(each -> each.waits.get()).sum();
    assertTrue(writes > 0 && writes <= waits, writes + " eventfd writes for " + waits + " sleeps");
  }

  private static Set<Path> eventFds() throws IOException {
    Set<Path> found = new HashSet<>();
    try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"))) {
      for (Path fd : fds.toList()) {
        if (Files.isSymbolicLink(fd) && target(fd).contains("[eventfd]")) {
          found.add(fd);
        }
      }
    }
    return found;
  }

  private static String target(Path fd) {
    try {
      return Files.readSymbolicLink(fd).toString();
    } catch (IOException gone) {
      return "";
    }
  }

  /** What the kernel says of an eventfd that is never read: how often it was written. */
  private static long count(Path fd) {
    try (Stream<String> lines =
        Files.lines(Path.of("/proc/self/fdinfo").resolve(fd.getFileName()))) {
      return lines
          .filter(line -> line.startsWith("eventfd-count:"))
          .mapToLong(line -> Long.parseLong(line.substring(14).strip(), 16))
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aLoopThatIsAwakeIsNotWoken() throws Exception {
    rig.run(
        loop -> {
          long before = rig.poller(loop).wakes.get();
          for (int i = 0; i < 1000; i++) {
            loop.scheduleOnce("local", () -> {});
          }
          LoopRig.settle();
          assertEquals(before, rig.poller(loop).wakes.get());
        });
  }

  @Test
  void completionsDoNotWakeTheLoopThatReapsThem(@TempDir Path folder) throws Exception {
    Path file = Files.write(folder.resolve("data"), new byte[4096]);
    int fd = LinuxFiles.open(file.toString(), 0, 0);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(4096);
      rig.run(
          loop -> {
            CountingPoller poller = rig.poller(loop);
            long wakes = poller.wakes.get();
            for (int i = 0; i < 100; i++) {
              assertEquals(4096, loop.io().read(fd, buffer, 0));
            }
            assertEquals(wakes, poller.wakes.get(), "the loop wakes itself");
          });
    } finally {
      LinuxFiles.close(fd);
    }
  }

  @Test
  void manyThreadsPayForOneWakeUp() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    CountingPoller poller = rig.poller(loop);
    AtomicInteger ran = new AtomicInteger();
    int threads = 8;
    for (int round = 1; round <= 200; round++) {
      LoopRig.spinUntil(() -> loop.turn().isWaiting());
      CountDownLatch go = new CountDownLatch(1);
      Thread[] wakers = new Thread[threads];
      for (int i = 0; i < threads; i++) {
        wakers[i] =
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        go.await();
                      } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                      }
                      loop.scheduleOnce("ran", ran::incrementAndGet);
                    });
      }
      go.countDown();
      for (Thread each : wakers) {
        each.join();
      }
      int expected = round * threads;
      LoopRig.spinUntil(() -> ran.get() == expected);
    }
    assertTrue(poller.wakes.get() <= poller.polls.get(), "at most one wake-up a sleep");
  }

  @Test
  void a15_s5_busyPollingIsLeftWhenSomethingIsScheduled() throws Exception {
    AioContext loop = rig.startThread("busy", new BusyPolling(1_000_000_000L, 2, 2)).context();
    CountingPoller poller = rig.poller(loop);
    // One short wait teaches the loop to look before it waits.
    LoopRig.spinUntil(() -> loop.turn().isWaiting());
    rig.clocks.advance(1_000);
    loop.submit("teach", () -> true).get();
    // From here on time stands still: the loop never gives up looking by itself.
    long waits = poller.waits.get();
    long polls = poller.polls.get();
    LoopRig.spinUntil(() -> poller.polls.get() > polls + 1000);
    assertEquals(waits, poller.waits.get(), "it looks and does not wait");
    long wakes = poller.wakes.get();
    for (int i = 0; i < 10_000; i++) {
      loop.submit("noticed", () -> true).get();
    }
    assertEquals(wakes, poller.wakes.get(), "nobody pays for a wake-up");
    // Time passes: it gives up and waits.
    LoopRig.spinUntil(
        () -> {
          rig.clocks.advance(1_000_000_000L);
          return poller.waits.get() > waits;
        });
    loop.submit("woken", () -> true).get();
  }

  @Test
  void a15_busyPollingIsLeftForTimersClocksAndStop() throws Exception {
    IoThread thread = rig.startThread("busy", new BusyPolling(1_000_000_000L, 2, 2));
    AioContext loop = thread.context();
    CountingPoller poller = rig.poller(loop);
    LoopRig.spinUntil(() -> loop.turn().isWaiting());
    rig.clocks.advance(1_000);
    var slept =
        loop.submit(
            "sleeper",
            () -> {
              loop.sleep(ClockType.REALTIME, 5_000);
              return true;
            });
    LoopRig.spinUntil(
        () -> {
          rig.clocks.advance(500);
          return slept.isDone();
        });
    assertTrue(slept.get());
  }

  @Test
  void busyPollingCanBeSwitchedWhileTheLoopRuns() throws Exception {
    AioContext loop = rig.startThread("busy").context();
    CountingPoller poller = rig.poller(loop);
    loop.turn().setBusyPolling(new BusyPolling(1_000_000_000L, 2, 2));
    loop.submit("take the parameters", () -> true).get();
    LoopRig.spinUntil(() -> loop.turn().isWaiting());
    rig.clocks.advance(1_000);
    loop.submit("teach", () -> true).get();
    long waits = poller.waits.get();
    long polls = poller.polls.get();
    LoopRig.spinUntil(() -> poller.polls.get() > polls + 1000);
    assertEquals(waits, poller.waits.get());
    loop.turn().setBusyPolling(BusyPolling.OFF);
    LoopRig.spinUntil(() -> poller.waits.get() > waits);
  }
}
