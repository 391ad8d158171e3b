package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ClockType;
import org.tinamou.host.Descriptors;
import org.tinamou.host.LinuxFiles;

/** There is no nested poll: it is refused, and what once needed one parks instead. */
@OnEveryPoller
class NestedPollTest {
  private final LoopRig rig;

  NestedPollTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private static void assertRefused(AioContext loop) {
    IllegalStateException refused =
        assertThrows(IllegalStateException.class, () -> loop.runUntilDone("nested", () -> 0));
    assertTrue(refused.getMessage().contains("nested poll refused"), refused.getMessage());
  }

  @Test
  void a7_s9_refusedFromEveryKindOfCallback() throws Exception {
    AioContext other = rig.newContext("other");
    Descriptors.Pair pipe = Descriptors.pipe(0);
    try (Arena arena = Arena.ofConfined()) {
      assertEquals(1, LinuxFiles.write(pipe.second(), arena.allocate(1)));
    }
    rig.run(
        loop -> {
          List<String> refused = new ArrayList<>();
          Callable<Boolean> attempt =
              () -> {
                assertRefused(loop);
                assertRefused(other);
                assertThrows(IllegalStateException.class, loop::stepSimulated);
                return true;
              };
          Runnable callback =
              () -> {
                try {
                  attempt.call();
                  refused.add("refused");
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              };
          loop.scheduleOnce("bottom half", callback);
          loop.timer(ClockType.REALTIME, "timer", callback).armIn(0);
          FdWatch[] watch = new FdWatch[1];
          watch[0] =
              loop.watch(
                  pipe.first(),
                  FdWatch.READABLE,
                  events -> {
                    callback.run();
                    watch[0].remove();
                  });
          LoopRig.turnUntil(() -> refused.size() == 3);
        });
    other.close();
    LinuxFiles.close(pipe.first());
    LinuxFiles.close(pipe.second());
  }

  @Test
  void a5_refusedFromACoroutineAndInsideOfRunUntilDone() throws Exception {
    AioContext other = rig.newContext("other");
    rig.run(
        loop -> {
          assertRefused(loop);
          assertRefused(other);
        });
    other.close();
  }

  @Test
  void a19_onlyTheHomeThreadPolls() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    loop.submit("start", () -> 0).get();
    IllegalStateException refused =
        assertThrows(IllegalStateException.class, () -> loop.runUntilDone("foreign", () -> 0));
    assertTrue(refused.getMessage().contains("home thread"), refused.getMessage());
  }

  @Test
  void a19_aWorkerCannotPoll() throws Exception {
    rig.run(
        loop ->
            assertThrows(
                IllegalStateException.class,
                () -> loop.callBlocking(() -> loop.runUntilDone("worker", () -> 0))));
  }

  /** Completions of one batch, the first waiting for the second: it parks, and both are seen. */
  @Test
  void a4_s8_s12_theFirstCompletionOfABatchWaitsForTheSecond(@TempDir Path folder)
      throws Exception {
    Path file = Files.write(folder.resolve("data"), new byte[8192]);
    int fd = LinuxFiles.open(file.toString(), 0, 0);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(8192);
      rig.run(
          loop -> {
            for (int round = 0; round < 100; round++) {
              AioContext.Forked<Long> second =
                  loop.fork("second", () -> loop.io().read(fd, buffer.asSlice(4096), 4096));
              AioContext.Forked<Long> first =
                  loop.fork(
                      "first",
                      () -> {
                        long read = loop.io().read(fd, buffer.asSlice(0, 4096), 0);
                        // Submits from the completion, and waits for its neighbour.
                        read += loop.io().read(fd, buffer.asSlice(0, 4096), 0);
                        return read + second.join();
                      });
              assertEquals(12288, first.join());
            }
          });
    } finally {
      LinuxFiles.close(fd);
    }
  }

  /**
   * A handler whose condition stays true waits for something: in a coroutine, without recursion.
   */
  @Test
  void a7_s10_aLevelTriggeredHandlerWaitsInACoroutine() throws Exception {
    Descriptors.Pair pipe = Descriptors.pipe(0);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment oneByte = arena.allocate(1);
      assertEquals(1, LinuxFiles.write(pipe.second(), oneByte));
      rig.run(
          loop -> {
            int[] depth = new int[1];
            int[] calls = new int[1];
            Coroutine[] waiter = new Coroutine[1];
            FdWatch[] watch = new FdWatch[1];
            watch[0] =
                loop.watch(
                    pipe.first(),
                    FdWatch.READABLE,
                    events -> {
                      assertEquals(1, ++depth[0]);
                      calls[0]++;
                      if (waiter[0] == null) {
                        waiter[0] =
                            loop.spawn(
                                "clears it later",
                                () -> {
                                  LoopRig.turnUntil(() -> calls[0] > 10);
                                  LinuxFiles.read(pipe.first(), oneByte);
                                  watch[0].remove();
                                });
                      }
                      depth[0]--;
                    });
            LoopRig.turnUntil(() -> waiter[0] != null);
            waiter[0].join();
          });
    } finally {
      LinuxFiles.close(pipe.first());
      LinuxFiles.close(pipe.second());
    }
  }

  /** The one who waits is on one loop, the work it waits for on another. */
  @Test
  void a20_s11_aWaitForWorkOfAnotherLoopNeedsNoPollOfThatLoop() throws Exception {
    IoThread thread = rig.startThread("worker loop");
    AioContext far = thread.context();
    rig.run(
        loop -> {
          for (int i = 0; i < 1000; i++) {
            int number = i;
            Thread[] ranOn = new Thread[1];
            AioContext.Forked<Integer> there =
                far.fork(
                    "there",
                    () -> {
                      far.scheduleOnce("far callback", () -> ranOn[0] = Thread.currentThread());
                      while (ranOn[0] == null) {
                        Coroutine.yieldNow();
                      }
                      return number;
                    });
            assertEquals(number, there.join());
            assertEquals(far.homeThread(), ranOn[0]);
          }
        });
  }

  @Test
  void theBodyMayEndOnAnotherLoop() throws Exception {
    AioContext far = rig.startThread("far").context();
    for (int i = 0; i < 200; i++) {
      AioContext main = rig.newContext("main");
      Thread caller = Thread.currentThread();
      String result =
          main.runUntilDone(
              "traveller",
              () -> {
                Coroutine.moveTo(far);
                assertEquals(far, AioContext.currentOrNull());
                return "home again";
              });
      assertEquals("home again", result);
      IllegalArgumentException thrown =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  main.runUntilDone(
                      "lost",
                      () -> {
                        Coroutine.moveTo(far);
                        throw new IllegalArgumentException("thrown far away");
                      }));
      assertEquals("thrown far away", thrown.getMessage());
      assertEquals(caller, main.homeThread());
      main.close();
    }
  }

  @Test
  void runUntilDoneCanBeUsedAgainAndAgain() throws Exception {
    AioContext main = rig.newContext("main");
    int[] sum = new int[1];
    for (int i = 0; i < 100; i++) {
      int number = i;
      main.scheduleOnce("between", () -> sum[0] += number);
      assertEquals(
          number,
          main.runUntilDone(
              "run",
              () -> {
                LoopRig.settle();
                return number;
              }));
    }
    assertEquals(4950, sum[0]);
    main.close();
  }
}
