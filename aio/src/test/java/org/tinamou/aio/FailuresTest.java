package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ClockType;
import org.tinamou.base.SeededRandom;
import org.tinamou.host.Descriptors;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.OpenFlags;

/** What escapes from one callback, coroutine or request does not harm the loop. */
@OnEveryPoller
class FailuresTest {
  private final LoopRig rig;

  FailuresTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private static final List<Supplier<Throwable>> THROWN =
      List.of(
          () -> new IllegalStateException("escaped"),
          () -> new OutOfMemoryError("by hand"),
          () -> new AssertionError("escaped"),
          () -> assertThrows(StackOverflowError.class, () -> overflow(0)));

  private static int overflow(int depth) {
    return depth < 0 ? depth : overflow(depth + 1) + 1;
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void throwAny(Throwable thrown) throws E {
    throw (E) thrown;
  }

  @Test
  void v4_whatEscapesFromACallbackIsReportedAndTheLoopGoesOn() throws Exception {
    Descriptors.Pair pipe = Descriptors.pipe(0);
    try (Arena arena = Arena.ofConfined()) {
      assertEquals(1, LinuxFiles.write(pipe.second(), arena.allocate(1)));
    }
    rig.run(
        loop -> {
          for (Supplier<Throwable> kind : THROWN) {
            Throwable thrown = kind.get();
            BottomHalf bottomHalf = loop.bottomHalf("thrower", () -> throwAny(thrown));
            bottomHalf.schedule();
            LoopRig.turnUntil(() -> !rig.failures.isEmpty());
            assertFailure(loop, bottomHalf, thrown);
            AioTimer timer = loop.timer(ClockType.REALTIME, "thrower", () -> throwAny(thrown));
            timer.armIn(0);
            LoopRig.turnUntil(() -> !rig.failures.isEmpty());
            assertFailure(loop, timer, thrown);
            FdWatch[] watch = new FdWatch[1];
            watch[0] =
                loop.watch(
                    pipe.first(),
                    FdWatch.READABLE,
                    events -> {
                      watch[0].remove();
                      throwAny(thrown);
                    });
            LoopRig.turnUntil(() -> !rig.failures.isEmpty());
            assertFailure(loop, watch[0], thrown);
            // All of them can be used again.
            bottomHalf.schedule();
            timer.armIn(0);
            LoopRig.turnUntil(() -> rig.failures.size() == 2);
            rig.failures.clear();
          }
        });
    LinuxFiles.close(pipe.first());
    LinuxFiles.close(pipe.second());
  }

  @Test
  void v4_whatEscapesFromACoroutineIsReportedAndItsJoinersGoOn() throws Exception {
    rig.run(
        loop -> {
          for (Supplier<Throwable> kind : THROWN) {
            Throwable thrown = kind.get();
            Coroutine coroutine = loop.spawn("thrower", () -> throwAny(thrown));
            coroutine.join();
            assertFailure(loop, coroutine, thrown);
          }
          Coroutine checked =
              loop.spawn(
                  "checked",
                  () -> {
                    throw new IOException("checked");
                  });
          checked.join();
          assertEquals("checked", rig.takeFailure().failure().getMessage());
          assertEquals(1, loop.liveCoroutines());
        });
  }

  @Test
  void v4_aRealStackOverflowEndsOneCoroutineOnly() throws Exception {
    rig.run(
        loop -> {
          Coroutine coroutine = loop.spawn("deep", () -> overflow(0));
          coroutine.join();
          assertInstanceOf(StackOverflowError.class, rig.takeFailure().failure());
          loop.scheduleOnce("deep", () -> overflow(0));
          LoopRig.turnUntil(() -> !rig.failures.isEmpty());
          assertInstanceOf(StackOverflowError.class, rig.takeFailure().failure());
          loop.spawn("next", () -> {}).join();
        });
  }

  private void assertFailure(AioContext loop, Object source, Throwable thrown) {
    LoopRig.Failure failure = rig.takeFailure();
    assertSame(loop, failure.context());
    assertSame(source, failure.source());
    assertSame(thrown, failure.failure());
  }

  @Test
  void outcomesOfForksBelongToWhoJoinsThem() throws Exception {
    rig.run(
        loop -> {
          for (Supplier<Throwable> kind : THROWN) {
            Throwable thrown = kind.get();
            AioContext.Forked<Object> forked =
                loop.fork(
                    "thrower",
                    () -> {
                      FailuresTest.<RuntimeException>throwAny(thrown);
                      return "";
                    });
            assertSame(thrown, assertThrows(thrown.getClass(), forked::join));
          }
          assertEquals(null, loop.fork("null", () -> null).join());
        });
  }

  @Test
  void runUntilDoneThrowsWhatTheBodyThrew() throws Exception {
    AioContext loop = rig.newContext("main");
    IOException thrown = new IOException("from inside");
    assertSame(
        thrown,
        assertThrows(
            IOException.class,
            () ->
                loop.runUntilDone(
                    "thrower",
                    () -> {
                      throw thrown;
                    })));
    assertEquals(1, loop.runUntilDone("next", () -> 1));
    loop.close();
  }

  @Test
  void v4_aReporterThatFailsDoesNotEndTheLoop() throws Exception {
    AtomicReference<Throwable> last = new AtomicReference<>();
    OutOfMemoryError second = new OutOfMemoryError("reporting");
    AioContext loop =
        rig.newContext(
            "main",
            BusyPolling.OFF,
            (context, source, failure) -> {
              throw second;
            });
    RuntimeException first = new RuntimeException("first");
    Thread.currentThread().setUncaughtExceptionHandler((thread, thrown) -> last.set(thrown));
    int answer =
        loop.runUntilDone(
            "survivor",
            () -> {
              loop.scheduleOnce("thrower", () -> throwAny(first));
              LoopRig.settle();
              return 7;
            });
    assertEquals(7, answer);
    assertSame(second, last.get());
    assertSame(first, last.get().getSuppressed()[0]);
    loop.close();
  }

  @Test
  void v4_aWorkersErrorReachesWhoCalledIt() throws Exception {
    rig.run(
        loop -> {
          for (Supplier<Throwable> kind : THROWN) {
            Throwable thrown = kind.get();
            assertSame(
                thrown,
                assertThrows(
                    thrown.getClass(),
                    () ->
                        loop.callBlocking(
                            () -> {
                              FailuresTest.<RuntimeException>throwAny(thrown);
                              return 0;
                            })));
          }
          assertEquals("io", assertThrows(IOException.class, () -> failing(loop)).getMessage());
        });
  }

  private static int failing(AioContext loop) throws IOException {
    return loop.callBlocking(
        () -> {
          throw new IOException("io");
        });
  }

  /** Interrupts hit loops, workers, coroutines and waiters at random; the file stays usable. */
  @Test
  void v1_interruptsLeaveFilesUsable(@TempDir Path folder) throws Exception {
    Path path = Files.write(folder.resolve("image"), new byte[1 << 20]);
    int fd = LinuxFiles.open(path.toString(), OpenFlags.READ_WRITE, 0);
    AtomicBoolean end = new AtomicBoolean();
    try (Arena arena = Arena.ofShared()) {
      AioContext loop = rig.startThread("iothread").context();
      List<Thread> coroutineThreads = new ArrayList<>();
      List<java.util.concurrent.CompletableFuture<Integer>> users = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        MemorySegment buffer = arena.allocate(4096);
        int number = i;
        users.add(
            loop.submit(
                "user" + i,
                () -> {
                  synchronized (coroutineThreads) {
                    coroutineThreads.add(Thread.currentThread());
                  }
                  SeededRandom random = new SeededRandom(number);
                  for (int round = 0; round < 300; round++) {
                    long offset = (number * 32L + random.nextInt(32)) * 4096;
                    buffer.fill((byte) round);
                    assertEquals(4096, loop.io().write(fd, buffer, offset));
                    assertEquals(0, loop.io().fdatasync(fd));
                    buffer.fill((byte) -1);
                    assertEquals(4096, loop.io().read(fd, buffer, offset));
                    assertEquals(
                        (byte) round, buffer.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 99));
                    assertEquals(round, loop.callBlocking(() -> 0) + round);
                  }
                  return number;
                }));
      }
      Thread gremlin = Thread.ofPlatform().start(() -> interruptAll(end, loop, coroutineThreads));
      for (int i = 0; i < users.size(); i++) {
        assertEquals(i, users.get(i).join());
      }
      end.set(true);
      gremlin.join();
      rig.failures.removeIf(
          each -> each.failure().getMessage().contains("was interrupted: it takes requestCancel"));
    } finally {
      end.set(true);
      LinuxFiles.close(fd);
    }
  }

  private static void interruptAll(
      AtomicBoolean end, AioContext loop, List<Thread> coroutineThreads) {
    SeededRandom random = new SeededRandom(3);
    while (!end.get()) {
      Thread[] all = new Thread[Thread.activeCount() * 2];
      int count = Thread.enumerate(all);
      for (int i = 0; i < count; i++) {
        if (all[i].getName().startsWith("worker") || all[i] == loop.homeThread()) {
          all[i].interrupt();
        }
      }
      synchronized (coroutineThreads) {
        if (!coroutineThreads.isEmpty()) {
          coroutineThreads.get(random.nextInt(coroutineThreads.size())).interrupt();
        }
      }
      Thread.yield();
    }
  }
}
