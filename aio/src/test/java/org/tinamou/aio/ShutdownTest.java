package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ClockType;
import org.tinamou.host.Descriptors;
import org.tinamou.host.LinuxFiles;

@OnEveryPoller
class ShutdownTest {
  private final LoopRig rig;

  ShutdownTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  @Test
  void a11_aThreadIsStoppedRightAfterItsStartAThousandTimes() {
    for (int i = 0; i < 1000; i++) {
      IoThread thread = IoThread.start("shortlived", () -> rig.newContext("shortlived"));
      if (i % 3 == 0) {
        thread.context().scheduleOnce("last", () -> {});
      }
      thread.close();
      assertTrue(thread.context().isClosed());
      assertTrue(rig.poller(thread.context()).closed);
    }
  }

  @Test
  void closingTwiceIsHarmless() {
    IoThread thread = rig.startThread("twice");
    thread.close();
    thread.close();
  }

  @Test
  void twoThreadsMayCloseAtOnce() throws Exception {
    for (int i = 0; i < 100; i++) {
      IoThread thread = rig.startThread("both");
      Thread other = Thread.ofPlatform().start(thread::close);
      thread.close();
      other.join();
    }
  }

  @Test
  void aLoopThatCannotBeBuiltIsReported() {
    CompletionException failure =
        assertThrows(
            CompletionException.class,
            () ->
                IoThread.start(
                    "unbuilt",
                    () -> {
                      throw new IllegalArgumentException("no poller");
                    }));
    assertEquals("no poller", failure.getCause().getMessage());
  }

  @Test
  void closingNamesWhatIsAliveAndLetsItGoOn() throws Exception {
    IoThread thread = rig.startThread("busy");
    AioContext loop = thread.context();
    Descriptors.Pair pipe = Descriptors.pipe(0);
    CompletableFuture<Boolean> finished =
        loop.submit(
            "copier",
            () -> {
              Coroutine.describe("node disk0");
              FdWatch watch = loop.watch(pipe.first(), FdWatch.READABLE, events -> {});
              loop.sleep(ClockType.REALTIME, 1_000_000);
              watch.remove();
              return true;
            });
    LoopRig.spinUntil(() -> loop.turn().isWaiting() && loop.dump().size() == 3);
    String message = assertThrows(IllegalStateException.class, thread::close).getMessage();
    assertTrue(message.contains("busy cannot be closed: "), message);
    assertTrue(message.contains("coroutine copier for node disk0, waiting for sleep"), message);
    assertTrue(message.contains("timer sleep of copier (REALTIME)"), message);
    assertTrue(message.contains("watch of descriptor " + pipe.first()), message);
    assertFalse(finished.isDone());
    rig.clocks.advance(1_000_000);
    assertTrue(finished.get(), "the loop has gone on");
    thread.close();
    LinuxFiles.close(pipe.first());
    LinuxFiles.close(pipe.second());
  }

  @Test
  void closingAMainLoopNamesWhatIsAlive() throws Exception {
    AioContext loop = rig.newContext("main");
    Coroutine[] parked = new Coroutine[1];
    boolean[] released = new boolean[1];
    loop.runUntilDone(
        "start",
        () -> {
          parked[0] =
              loop.spawn(
                  "forgotten",
                  () -> {
                    while (!released[0]) {
                      Coroutine.suspend("nobody");
                    }
                  });
          LoopRig.settle();
          return 0;
        });
    String message = assertThrows(IllegalStateException.class, loop::close).getMessage();
    assertEquals("main cannot be closed: coroutine forgotten, waiting for nobody", message);
    loop.runUntilDone(
        "end",
        () -> {
          released[0] = true;
          parked[0].wake();
          parked[0].join();
          return 0;
        });
    loop.close();
    loop.close();
    assertThrows(IllegalStateException.class, () -> loop.runUntilDone("late", () -> 0));
  }

  @Test
  void whatIsQueuedBeforeTheCloseStillRuns() {
    for (int i = 0; i < 200; i++) {
      IoThread thread = rig.startThread("queued");
      AtomicInteger ran = new AtomicInteger();
      for (int j = 0; j < 20; j++) {
        thread.context().scheduleOnce("queued", ran::incrementAndGet);
      }
      thread.context().spawn("queued", ran::incrementAndGet);
      thread.close();
      assertEquals(21, ran.get());
    }
  }

  @Test
  void whatNeverComesToAnEndIsNamedInsteadOfWaitedFor() throws Exception {
    IoThread thread = rig.startThread("endless");
    AtomicBoolean enough = new AtomicBoolean();
    BottomHalf[] self = new BottomHalf[1];
    self[0] =
        thread
            .context()
            .bottomHalf(
                "endless",
                () -> {
                  if (!enough.get()) {
                    self[0].schedule();
                  }
                });
    self[0].schedule();
    String message = assertThrows(IllegalStateException.class, thread::close).getMessage();
    assertTrue(message.endsWith("endless cannot be closed: queued tasks"), message);
    enough.set(true);
    thread.close();
  }

  @Test
  void aClosedLoopRefusesEverything() throws Exception {
    IoThread thread = rig.startThread("closed");
    AioContext loop = thread.context();
    BottomHalf bottomHalf = loop.bottomHalf("late", () -> {});
    thread.close();
    assertThrows(IllegalStateException.class, bottomHalf::schedule);
    assertFalse(bottomHalf.isScheduled());
    assertThrows(IllegalStateException.class, bottomHalf::schedule);
    assertThrows(IllegalStateException.class, () -> loop.spawn("late", () -> {}));
    assertThrows(IllegalStateException.class, () -> loop.submit("late", () -> 0));
    assertThrows(IllegalStateException.class, () -> loop.scheduleOnce("late", () -> {}));
    assertEquals(List.of(), loop.dump());
    loop.requestStop();
  }

  /**
   * Wakers of all kinds hammer a loop while it is closed: each call either is refused or its effect
   * happens, and the freed poller is never touched (the rig's poller would complain).
   */
  @Test
  void a12_closedWhileWakersAreActive() throws Exception {
    for (int round = 0; round < 150; round++) {
      IoThread thread = rig.startThread("target");
      AioContext loop = thread.context();
      AtomicLong accepted = new AtomicLong();
      AtomicLong happened = new AtomicLong();
      CountDownLatch running = new CountDownLatch(3);
      List<Thread> wakers = new ArrayList<>();
      List<Runnable> kinds =
          List.of(
              () -> loop.scheduleOnce("bh", happened::incrementAndGet),
              () -> loop.spawn("co", happened::incrementAndGet),
              () -> {
                BottomHalf reused = loop.bottomHalf("reused", happened::incrementAndGet);
                reused.schedule();
              });
      for (Runnable kind : kinds) {
        wakers.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      running.countDown();
                      try {
                        while (true) {
                          // The queue has no bound of its own.
                          LoopRig.spinUntil(() -> accepted.get() - happened.get() < 100);
                          accepted.incrementAndGet();
                          kind.run();
                        }
                      } catch (IllegalStateException closed) {
                        accepted.decrementAndGet();
                        assertTrue(closed.getMessage().contains("closed"), closed.getMessage());
                      }
                    }));
      }
      running.await();
      closeUnderFire(thread);
      for (Thread waker : wakers) {
        waker.join();
      }
      assertEquals(accepted.get(), happened.get(), "accepted and lost");
    }
  }

  /** Under constant fire a close may find new work again and again, and say so. */
  private static void closeUnderFire(IoThread thread) {
    while (true) {
      try {
        thread.close();
        return;
      } catch (IllegalStateException busy) {
        assertTrue(
            busy.getMessage().contains("queued tasks")
                || busy.getMessage().contains("coroutine co"),
            busy.getMessage());
      }
    }
  }

  @Test
  void a12_wakeOfACoroutineThatEndedWithItsLoopIsHarmless() throws Exception {
    IoThread thread = rig.startThread("gone");
    Coroutine coroutine = thread.context().spawn("short", () -> {});
    LoopRig.spinUntil(coroutine::isEnded);
    thread.close();
    coroutine.wake();
    coroutine.requestCancel();
    assertEquals(0, coroutine.thread().getStackTrace().length);
  }

  @Test
  void anIoThreadIsNotClosedFromALoop() throws Exception {
    IoThread thread = rig.startThread("joined");
    ExecutionException refusal =
        assertThrows(
            ExecutionException.class,
            () ->
                thread
                    .context()
                    .submit(
                        "suicide",
                        () -> {
                          thread.close();
                          return 0;
                        })
                    .get());
    assertTrue(refusal.getCause() instanceof IllegalStateException);
  }

  @Test
  void aLoopIsNotClosedFromInside() throws Exception {
    rig.run(
        loop -> {
          assertThrows(IllegalStateException.class, loop::close);
          List<Throwable> refused = new ArrayList<>();
          loop.scheduleOnce(
              "callback",
              () -> refused.add(assertThrows(IllegalStateException.class, loop::close)));
          LoopRig.settle();
          assertEquals(1, refused.size());
        });
  }
}
