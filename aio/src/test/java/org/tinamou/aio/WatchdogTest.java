package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.aio.poller.StallWatch;

/** Every look is made by hand: nothing here depends on time. */
@OnEveryPoller
class WatchdogTest {
  private final LoopRig rig;
  private final List<Watchdog.Stall> stalls = new ArrayList<>();
  private final Watchdog watchdog = new Watchdog(stalls::add);

  WatchdogTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  @Test
  void v7_findsACoroutineThatBlocksItsCarrier() throws Exception {
    AioContext loop = rig.startThread("stuck").context();
    watchdog.add(loop);
    AtomicBoolean inside = new AtomicBoolean();
    AtomicBoolean release = new AtomicBoolean();
    Coroutine culprit =
        loop.spawn(
            "culprit",
            () -> {
              Coroutine.describe("node disk0");
              blockUntil(inside, release);
            });
    LoopRig.spinUntil(inside::get);
    watchdog.look();
    assertEquals(List.of(), stalls, "one look says nothing");
    watchdog.look();
    assertEquals(1, stalls.size());
    Watchdog.Stall stall = stalls.getFirst();
    assertSame(loop, stall.context());
    assertSame(culprit, stall.coroutine());
    String text = stall.toString();
    assertTrue(
        text.startsWith("loop stuck stands still in coroutine culprit for node disk0"), text);
    assertTrue(text.contains("blockUntil"), text);
    release.set(true);
    LoopRig.spinUntil(culprit::isEnded);
    // The turn that the culprit ended in is not over yet, but one is that began after it.
    LoopRig.spinUntil(loop.spawn("next", () -> {})::isEnded);
    watchdog.look();
    assertEquals(1, stalls.size(), "it has got on since the last look");
  }

  private static void blockUntil(AtomicBoolean inside, AtomicBoolean release) {
    inside.set(true);
    LoopRig.spinUntil(release::get);
  }

  /** A park below a native frame parks the carrier, and with it the loop. */
  @Test
  void v7_findsAPinnedCoroutineThatParks() throws Exception {
    AioContext loop = rig.startThread("pinned").context();
    watchdog.add(loop);
    CountDownLatch inside = new CountDownLatch(1);
    AtomicBoolean release = new AtomicBoolean();
    Coroutine culprit =
        loop.spawn(
            "culprit",
            () ->
                Pinned.run(
                    () -> {
                      inside.countDown();
                      while (!release.get()) {
                        Coroutine.suspend("release");
                      }
                    }));
    inside.await();
    watchdog.look();
    watchdog.look();
    assertEquals(1, stalls.size());
    assertSame(culprit, stalls.getFirst().coroutine());
    assertTrue(stalls.getFirst().toString().contains("Pinned.run"), stalls::toString);
    release.set(true);
    culprit.wake();
    LoopRig.spinUntil(culprit::isEnded);
  }

  @Test
  void findsACallbackThatBlocks() throws Exception {
    AioContext loop = rig.startThread("blocked").context();
    watchdog.add(loop);
    AtomicBoolean inside = new AtomicBoolean();
    AtomicBoolean release = new AtomicBoolean();
    loop.scheduleOnce("culprit", () -> blockUntil(inside, release));
    LoopRig.spinUntil(inside::get);
    watchdog.look();
    watchdog.look();
    assertEquals(null, stalls.getFirst().coroutine());
    assertTrue(stalls.getFirst().toString().contains("blockUntil"), stalls::toString);
    release.set(true);
  }

  @Test
  void aThreadOfItsOwnFindsItToo() throws Exception {
    AioContext loop = rig.startThread("watched").context();
    AtomicBoolean inside = new AtomicBoolean();
    AtomicBoolean release = new AtomicBoolean();
    AtomicReference<Watchdog.Stall> found = new AtomicReference<>();
    try (StallWatch watch = new StallWatch(found::set)) {
      watch.add(loop);
      loop.scheduleOnce("culprit", () -> blockUntil(inside, release));
      LoopRig.spinUntil(() -> found.get() != null);
      assertSame(loop, found.get().context());
      watch.remove(loop);
    } finally {
      release.set(true);
    }
  }

  @Test
  void aLoopThatWaitsIsWell() {
    AioContext loop = rig.startThread("idle").context();
    watchdog.add(loop);
    LoopRig.spinUntil(() -> loop.turn().isWaiting());
    for (int i = 0; i < 5; i++) {
      watchdog.look();
    }
    assertEquals(List.of(), stalls);
  }

  @Test
  void aLoopThatLooksForWorkIsWell() throws Exception {
    AioContext loop = rig.startThread("busy", new BusyPolling(1_000_000_000L, 2, 2)).context();
    watchdog.add(loop);
    LoopRig.spinUntil(() -> loop.turn().isWaiting());
    rig.clocks.advance(1_000);
    loop.submit("teach", () -> 0).get();
    CountingPoller poller = rig.poller(loop);
    for (int i = 0; i < 5; i++) {
      long polls = poller.polls.get();
      LoopRig.spinUntil(() -> poller.polls.get() > polls + 10 || loop.turn().isWaiting());
      watchdog.look();
    }
    assertEquals(List.of(), stalls);
  }

  @Test
  void aLoopThatNobodyTurnsIsNotBlamed() throws Exception {
    AioContext main = rig.newContext("main");
    watchdog.add(main);
    main.runUntilDone("once", () -> 0);
    for (int i = 0; i < 3; i++) {
      watchdog.look();
    }
    assertEquals(List.of(), stalls, "between two runs it may stand still");
    main.close();
  }

  @Test
  void aRemovedLoopIsNotLookedAt() throws Exception {
    AioContext loop = rig.startThread("removed").context();
    watchdog.add(loop);
    AtomicBoolean inside = new AtomicBoolean();
    AtomicBoolean release = new AtomicBoolean();
    loop.scheduleOnce("blocks", () -> blockUntil(inside, release));
    LoopRig.spinUntil(inside::get);
    watchdog.look();
    watchdog.remove(loop);
    watchdog.look();
    assertEquals(List.of(), stalls);
    release.set(true);
  }
}
