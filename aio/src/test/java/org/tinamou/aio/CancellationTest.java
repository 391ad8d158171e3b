package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.Errno;
import org.tinamou.base.SeededRandom;
import org.tinamou.host.Descriptors;
import org.tinamou.host.LinuxFiles;

@OnEveryPoller
class CancellationTest {
  private static final long CANCELLED = -Errno.ECANCELED.number();

  private final LoopRig rig;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(64 * 4096);
  @TempDir private Path folder;
  private Descriptors.Pair pipe = new Descriptors.Pair(-1, -1);
  private int file;
  private final CountDownLatch workersMayGoOn = new CountDownLatch(1);

  CancellationTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @BeforeEach
  void open() throws Exception {
    pipe = Descriptors.pipe(0);
    Path data = Files.write(folder.resolve("data"), new byte[64 * 4096]);
    file = LinuxFiles.open(data.toString(), 0, 0);
  }

  @AfterEach
  void close() {
    workersMayGoOn.countDown();
    rig.close();
    arena.close();
    for (int fd : new int[] {pipe.first(), pipe.second(), file}) {
      LinuxFiles.close(fd);
    }
  }

  /** A read that the host does not get done: of an empty pipe, or behind workers that are busy. */
  private long stuckRead(AioContext loop, CountDownLatch allWorkersBusy) {
    if (rig.kind() == PollerKind.IO_URING) {
      return loop.io().read(pipe.first(), buffer.asSlice(0, 1), 0);
    }
    assertEquals(0, allWorkersBusy.getCount());
    return loop.io().read(file, buffer.asSlice(0, 4096), 0);
  }

  private CountDownLatch occupyWorkers() throws InterruptedException {
    CountDownLatch busy = new CountDownLatch(4);
    for (int i = 0; i < 4; i++) {
      rig.workers.execute(
          () -> {
            busy.countDown();
            LoopRig.spinUntil(() -> workersMayGoOn.getCount() == 0);
          });
    }
    busy.await();
    return busy;
  }

  @Test
  void a13_s12_aRequestInFlightIsGivenUp() throws Exception {
    CountDownLatch busy = occupyWorkers();
    rig.run(
        loop -> {
          long[] result = new long[1];
          Coroutine reader = loop.spawn("reader", () -> result[0] = stuckRead(loop, busy));
          LoopRig.settle();
          assertFalse(reader.isEnded());
          assertTrue(
              loop.dump().contains("1 I/O requests in flight"), () -> loop.dump().toString());
          reader.requestCancel();
          reader.join();
          assertEquals(CANCELLED, result[0]);
          assertEquals(List.of("coroutine test"), loop.dump());
        });
  }

  @Test
  void aStrayWakeUpGivesNothingUp() throws Exception {
    CountDownLatch busy = occupyWorkers();
    rig.run(
        loop -> {
          long[] result = new long[1];
          Coroutine reader = loop.spawn("reader", () -> result[0] = stuckRead(loop, busy));
          for (int i = 0; i < 5; i++) {
            LoopRig.settle();
            reader.wake();
          }
          assertFalse(reader.isEnded());
          reader.requestCancel();
          reader.join();
        });
  }

  /** Whoever cleans up after a cancellation still gets its I/O done. */
  @Test
  void requestsMadeAfterTheCancellationAreNotGivenUp() throws Exception {
    CountDownLatch busy = occupyWorkers();
    rig.run(
        loop -> {
          long[] results = new long[2];
          Coroutine reader =
              loop.spawn(
                  "reader",
                  () -> {
                    results[0] = stuckRead(loop, busy);
                    assertTrue(Coroutine.current().isCancelRequested());
                    results[1] = loop.io().read(file, buffer.asSlice(0, 4096), 0);
                  });
          LoopRig.settle();
          reader.requestCancel();
          workersMayGoOn.countDown();
          reader.join();
          assertEquals(4096, results[1]);
        });
  }

  /** Requests cancelled at any moment by another thread: each ends once, one way or the other. */
  @Test
  void a13_cancellationRacesWithCompletion() throws Exception {
    workersMayGoOn.countDown();
    AioContext loop = rig.startThread("iothread").context();
    SeededRandom random = new SeededRandom(7);
    int given = 0;
    for (int round = 0; round < 2_000; round++) {
      List<Coroutine> readers = new ArrayList<>();
      long[] results = new long[8];
      for (int i = 0; i < results.length; i++) {
        int slot = i;
        readers.add(
            loop.spawn(
                "reader" + i,
                () ->
                    results[slot] =
                        loop.io().read(file, buffer.asSlice(slot * 4096L, 4096), slot * 4096L)));
      }
      for (Coroutine each : readers) {
        if (random.nextBoolean()) {
          each.requestCancel();
        }
      }
      LoopRig.spinUntil(() -> readers.stream().allMatch(Coroutine::isEnded));
      for (long result : results) {
        assertTrue(result == 4096 || result == CANCELLED, () -> "result " + result);
        given += result == CANCELLED ? 1 : 0;
      }
    }
    assertTrue(given < 16_000);
  }

  @Test
  void aCancelledCoroutineThatWaitsForSomethingElseJustSeesTheFlag() throws Exception {
    rig.run(
        loop -> {
          AtomicBoolean seen = new AtomicBoolean();
          Coroutine waiter =
              loop.spawn(
                  "waiter",
                  () -> {
                    while (!Coroutine.current().isCancelRequested()) {
                      Coroutine.suspend("cancellation");
                    }
                    seen.set(true);
                  });
          LoopRig.settle();
          waiter.requestCancel();
          waiter.join();
          assertTrue(seen.get());
          assertFalse(Coroutine.current().isCancelRequested());
        });
  }
}
