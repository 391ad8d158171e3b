package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.aio.IoOp;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.aio.PollerDriver;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.base.Zeroes;

/** What every production poller does. */
abstract class PollerContract {
  static final long FOREVER = Poller.FOREVER;

  @TempDir Path folder;
  final Arena arena = Arena.ofShared();
  final WorkerPool workers = new WorkerPool(8);
  final HostFiles hostFiles;
  final List<Integer> fds = new ArrayList<>();
  Poller poller;
  PollerDriver driver;

  /**
   * @param hostFiles the files that go with the poller
   */
  PollerContract(HostFiles hostFiles) {
    this.hostFiles = hostFiles;
  }

  abstract Poller open(Workers workers) throws Exception;

  @BeforeEach
  void open() throws Exception {
    poller = open(workers);
    driver = new PollerDriver(poller, workers, hostFiles);
  }

  @AfterEach
  void close() throws Exception {
    driver.close();
    for (int fd : fds) {
      hostFiles.close(fd);
    }
    workers.close();
    arena.close();
  }

  int file() throws Exception {
    Path path = folder.resolve("file" + fds.size());
    int fd = hostFiles.open(path, 0644, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    fds.add(fd);
    return fd;
  }

  MemorySegment filled(long size, int value) {
    return arena.allocate(size, 8).fill((byte) value);
  }

  // ---- requests

  @Test
  void readsAreShortAtTheEndOfTheFile() throws Exception {
    int fd = file();
    assertEquals(3000, driver.result(driver.write(fd, filled(3000, 7), 1000)));
    MemorySegment back = filled(8192, 1);
    assertEquals(4000, driver.result(driver.read(fd, back, 0)));
    assertTrue(Zeroes.isZero(back.asSlice(0, 1000)));
    assertEquals(-1, back.asSlice(1000, 3000).mismatch(filled(3000, 7)));
    assertEquals(1, back.get(ValueLayout.JAVA_BYTE, 4000));
    assertEquals(0, driver.result(driver.read(fd, back, 4000)));
    assertEquals(0, poller.inFlight());
  }

  @Test
  void v3_offsetsBeyondTheRangeOfAnIntArriveAsTheyAre() throws Exception {
    int fd = file();
    long[] offsets = {(1L << 31) - 1, 1L << 31, (1L << 31) + 1, (1L << 32) - 1, (1L << 32) + 1};
    for (int i = 0; i < offsets.length; i++) {
      assertEquals(1, driver.result(driver.write(fd, filled(1, i + 1), offsets[i])));
      assertEquals(offsets[i] + 1, hostFiles.status(fd).sizeBytes());
    }
    MemorySegment back = filled(1, 0);
    for (int i = 0; i < offsets.length; i++) {
      assertEquals(1, driver.result(driver.read(fd, back, offsets[i])));
      // The next one is a neighbour and has overwritten nothing.
      assertEquals(i + 1, back.get(ValueLayout.JAVA_BYTE, 0));
    }
    assertEquals(0, driver.result(driver.read(fd, back, Long.MAX_VALUE - 1)));
    long beyond = driver.result(driver.write(fd, filled(2, 1), Long.MAX_VALUE - 1));
    assertTrue(beyond == -Errno.EFBIG.number() || beyond == -Errno.EINVAL.number(), "" + beyond);
    assertEquals(offsets[offsets.length - 1] + 1, hostFiles.status(fd).sizeBytes());
  }

  @Test
  void a16_whatWasSubmittedReachesTheHostWithTheNextPollWhoeverFails() throws Exception {
    int fd = file();
    List<IoRequest> all = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      all.add(driver.write(fd, filled(512, i), i * 512L));
      if (i % 7 == 0) {
        poller.cancel(all.get(i));
      }
      if (i % 50 == 0) {
        poller.poll(0);
      }
    }
    // No request waits for another one to be submitted, nor for a batch to be ended.
    driver.await(all);
    for (int i = 0; i < all.size(); i++) {
      long result = driver.result(all.get(i));
      assertTrue(result == 512 || (i % 7 == 0 && result == -Errno.ECANCELED.number()));
    }
    assertEquals(0, poller.inFlight());
  }

  @Test
  void nothingCompletesBeforeThePoll() throws Exception {
    int fd = file();
    IoRequest request = driver.write(fd, filled(10, 1), 0);
    assertFalse(driver.isComplete(request));
    assertEquals(1, poller.inFlight());
    assertEquals(10, driver.result(request));
  }

  @Test
  void errorsComeBackAsNumbers() {
    int badFd = 1 << 20;
    assertEquals(-Errno.EBADF.number(), driver.result(driver.read(badFd, filled(10, 0), 0)));
    IoRequest fsync = driver.request(IoOp.FSYNC, badFd, 0, 0, 0, null, null);
    assertEquals(-Errno.EBADF.number(), driver.result(fsync));
  }

  @Test
  void vectorsTransferTheirSegmentsInOrder() throws Exception {
    int fd = file();
    IoVector out = IoVector.of(List.of(filled(10, 1), filled(20, 2), filled(30, 3)));
    assertEquals(60, driver.result(driver.write(fd, out, 5)));
    MemorySegment whole = filled(65, 9);
    IoVector in = IoVector.of(List.of(whole.asSlice(0, 33), whole.asSlice(33)));
    assertEquals(65, driver.result(driver.read(fd, in, 0)));
    assertEquals(1, whole.get(ValueLayout.JAVA_BYTE, 14));
    assertEquals(2, whole.get(ValueLayout.JAVA_BYTE, 15));
    assertEquals(3, whole.get(ValueLayout.JAVA_BYTE, 64));
  }

  @Test
  void moreRequestsThanTheRingHoldsAllComplete() throws Exception {
    int fd = file();
    int count = 1000;
    MemorySegment out = filled(count * 8L, 0);
    List<IoRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      out.set(ValueLayout.JAVA_LONG, i * 8L, i + 1);
      requests.add(driver.write(fd, out.asSlice(i * 8L, 8), i * 8L));
    }
    assertEquals(count, poller.inFlight());
    driver.await(requests);
    assertEquals(0, poller.inFlight());
    requests.clear();
    MemorySegment in = filled(count * 8L, 0);
    for (int i = 0; i < count; i++) {
      MemorySegment one = in.asSlice(i * 8L, 3);
      MemorySegment two = in.asSlice(i * 8L + 3, 5);
      requests.add(driver.read(fd, IoVector.of(List.of(one, two)), i * 8L));
    }
    for (IoRequest request : requests) {
      assertEquals(8, driver.result(request));
    }
    assertEquals(-1, in.mismatch(out));
  }

  // ---- waiting and waking

  @Test
  void aWaitEndsByTime() {
    poller.poll(0);
    poller.poll(1);
    poller.poll(1_500_000);
  }

  @Test
  void aWakeUpBeforeTheWaitEndsItAndIsUsedUp() throws Exception {
    poller.wake();
    poller.wake();
    poller.poll(FOREVER);
    wakeFromOutsideDuring(() -> poller.poll(FOREVER));
    poller.wake();
    poller.poll(0);
    wakeFromOutsideDuring(() -> poller.poll(FOREVER));
  }

  /** Whatever poll returns for, another thread's wake-up comes in the end. */
  private void wakeFromOutsideDuring(Runnable wait) throws InterruptedException {
    Thread waker = Thread.ofPlatform().start(() -> poller.wake());
    wait.run();
    waker.join();
  }

  @Test
  void noWakeUpIsLost() throws Exception {
    int rounds = 2000;
    int threads = 2;
    AtomicInteger produced = new AtomicInteger();
    List<Thread> wakers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      wakers.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int round = 0; round < rounds; round++) {
                      produced.incrementAndGet();
                      poller.wake();
                    }
                  }));
    }
    while (produced.get() < threads * rounds) {
      int before = produced.get();
      if (before < threads * rounds) {
        poller.poll(FOREVER);
      }
    }
    for (Thread waker : wakers) {
      waker.join();
    }
  }

  @Test
  void aCompletionEndsTheWait() throws Exception {
    int fd = file();
    IoRequest request = driver.write(fd, filled(10, 1), 0);
    while (!driver.isComplete(request)) {
      poller.poll(FOREVER);
    }
    request = driver.request(IoOp.FSYNC, fd, 0, 0, 0, null, null);
    assertEquals(0, driver.result(request));
  }

  // ---- under a loop

  @Test
  void coroutinesReadWhatTheyWrote() throws Exception {
    int fd = file();
    AioContext loop = driver.context();
    loop.runUntilDone(
        "test",
        () -> {
          List<AioContext.Forked<Void>> all = new ArrayList<>();
          for (int i = 0; i < 500; i++) {
            int index = i;
            all.add(
                loop.fork(
                    "copy " + i,
                    () -> {
                      MemorySegment buffer = filled(512, index);
                      assertEquals(512, loop.io().write(fd, buffer, index * 512L));
                      MemorySegment back = filled(512, -1);
                      assertEquals(512, loop.io().read(fd, back, index * 512L));
                      assertEquals(-1, back.mismatch(buffer));
                      return null;
                    }));
          }
          for (AioContext.Forked<Void> each : all) {
            each.join();
          }
          return null;
        });
    assertEquals(500 * 512, hostFiles.status(fd).sizeBytes());
  }

  @Test
  void blockingCallsComeBackToTheLoop() throws Exception {
    AioContext loop = driver.context();
    Path path = folder.resolve("opened");
    int fd =
        loop.runUntilDone(
            "test",
            () ->
                loop.callBlocking(
                    () -> hostFiles.open(path, 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE)));
    fds.add(fd);
    assertEquals(0, hostFiles.status(fd).sizeBytes());
  }
}
