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
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.aio.IoOp;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.aio.PollerDriver;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.base.Zeroes;
import org.tinamou.host.Descriptors;
import org.tinamou.host.FallocateMode;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.OpenFlags;

/** What every production poller does. */
abstract class PollerContract {
  static final long FOREVER = Poller.FOREVER;

  @TempDir Path folder;
  final Arena arena = Arena.ofShared();
  final WorkerPool workers = new WorkerPool(8);
  final LinuxHostFiles hostFiles = new LinuxHostFiles();
  private final List<Integer> fds = new ArrayList<>();
  Poller poller;
  PollerDriver driver;

  abstract Poller open(Workers workers) throws Exception;

  @BeforeEach
  void open() throws Exception {
    poller = open(workers);
    driver = new PollerDriver(poller, workers, hostFiles);
  }

  @AfterEach
  void close() {
    driver.close();
    fds.forEach(LinuxFiles::close);
    workers.close();
    arena.close();
  }

  int file() throws Exception {
    Path path = folder.resolve("file" + fds.size());
    int fd = hostFiles.open(path, 0644, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    fds.add(fd);
    return fd;
  }

  Descriptors.Pair sockets() throws Exception {
    Descriptors.Pair pair = Descriptors.socketPair(OpenFlags.NON_BLOCKING);
    fds.add(pair.first());
    fds.add(pair.second());
    return pair;
  }

  void closeFd(int fd) {
    fds.remove((Integer) fd);
    LinuxFiles.close(fd);
  }

  MemorySegment filled(long size, int value) {
    return arena.allocate(size, 8).fill((byte) value);
  }

  private void sendByte(int fd) {
    assertEquals(1, LinuxFiles.write(fd, filled(1, 1)));
  }

  private void drain(int fd) {
    assertTrue(LinuxFiles.read(fd, filled(4096, 0)) > 0);
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
      assertEquals(offsets[i] + 1, LinuxFiles.status(fd).sizeBytes());
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
    assertEquals(offsets[offsets.length - 1] + 1, LinuxFiles.status(fd).sizeBytes());
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
  void aVectorBeyondTheLimitOfOneCallIsAShortTransfer() throws Exception {
    int fd = file();
    MemorySegment memory = filled(4096, 5);
    List<MemorySegment> parts = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      parts.add(memory.asSlice(i, 2));
    }
    assertEquals(2048, driver.result(driver.write(fd, IoVector.of(parts), 0)));
    assertEquals(2048, hostFiles.status(fd).sizeBytes());
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

  @Test
  void flushesAndAllocates() throws Exception {
    int fd = file();
    assertEquals(1 << 20, driver.result(driver.write(fd, filled(1 << 20, 1), 0)));
    assertEquals(0, driver.result(driver.request(IoOp.FSYNC, fd, 0, 0, 0, null, null)));
    int punch = FallocateMode.PUNCH_HOLE | FallocateMode.KEEP_SIZE;
    IoRequest hole = driver.request(IoOp.FALLOCATE, fd, 4096, 65536, punch, null, null);
    assertEquals(0, driver.result(hole));
    assertEquals(0, driver.result(driver.request(IoOp.FDATASYNC, fd, 0, 0, 0, null, null)));
    assertEquals(4096, hostFiles.nextHole(fd, 0));
    assertEquals(4096 + 65536, hostFiles.nextData(fd, 4096));
  }

  // ---- watches

  @Test
  void aSocketIsWatchedInBothDirections() throws Exception {
    Descriptors.Pair sockets = sockets();
    List<String> events = new ArrayList<>();
    driver.watch(sockets.first(), FdWatch.READABLE, ready -> events.add("first " + ready));
    FdWatch second =
        driver.watch(
            sockets.second(),
            FdWatch.READABLE | FdWatch.WRITABLE,
            ready -> events.add("second " + ready));
    assertEquals(1, driver.turn(FOREVER));
    assertEquals(List.of("second " + FdWatch.WRITABLE), events);
    second.setInterest(FdWatch.READABLE);
    events.clear();
    sendByte(sockets.first());
    sendByte(sockets.second());
    while (events.size() < 2) {
      driver.turn(FOREVER);
    }
    assertTrue(events.contains("first " + FdWatch.READABLE));
    assertTrue(events.contains("second " + FdWatch.READABLE));
  }

  @Test
  void readinessIsALevelNotAnEdge() throws Exception {
    Descriptors.Pair sockets = sockets();
    int[] calls = new int[1];
    driver.watch(sockets.first(), FdWatch.READABLE, ready -> calls[0]++);
    sendByte(sockets.second());
    for (int i = 0; i < 5; i++) {
      assertEquals(1, driver.turn(FOREVER));
    }
    assertEquals(5, calls[0]);
    drain(sockets.first());
    // What was reported before the drain may come once more.
    driver.turn(0);
    assertEquals(0, driver.turn(0));
  }

  @Test
  void handlersRemoveThemselvesAndEachOther() throws Exception {
    Descriptors.Pair sockets = sockets();
    sendByte(sockets.first());
    sendByte(sockets.second());
    FdWatch[] both = new FdWatch[2];
    int[] calls = new int[1];
    FdWatch.Handler removeBoth =
        ready -> {
          calls[0]++;
          both[0].remove();
          both[1].remove();
        };
    both[0] = driver.watch(sockets.first(), FdWatch.READABLE, removeBoth);
    both[1] = driver.watch(sockets.second(), FdWatch.READABLE, removeBoth);
    while (calls[0] == 0) {
      driver.turn(FOREVER);
    }
    assertEquals(0, driver.turn(0));
    assertEquals(0, driver.turn(1000));
    assertEquals(1, calls[0]);
  }

  @Test
  void aPausedWatchIsSilentUntilItGoesOn() throws Exception {
    Descriptors.Pair sockets = sockets();
    int[] calls = new int[1];
    FdWatch watch = driver.watch(sockets.first(), FdWatch.READABLE, ready -> calls[0]++);
    driver.turn(0);
    watch.setInterest(0);
    sendByte(sockets.second());
    assertEquals(0, driver.turn(0));
    assertEquals(0, driver.turn(1000));
    watch.setInterest(FdWatch.READABLE);
    while (calls[0] == 0) {
      driver.turn(FOREVER);
    }
  }

  @Test
  void aDescriptorUsedAnewKnowsNothingOfItsPredecessor() throws Exception {
    Descriptors.Pair old = sockets();
    FdWatch stale =
        driver.watch(
            old.first(),
            FdWatch.READABLE,
            ready -> {
              throw new AssertionError("the removed watch was called");
            });
    driver.turn(0);
    sendByte(old.second());
    stale.remove();
    closeFd(old.first());
    closeFd(old.second());
    Descriptors.Pair fresh = sockets();
    assertEquals(old.first(), fresh.first());
    int[] events = new int[1];
    driver.watch(fresh.first(), FdWatch.READABLE, ready -> events[0] = ready);
    assertEquals(0, driver.turn(0));
    assertEquals(0, driver.turn(1000));
    sendByte(fresh.second());
    while (events[0] == 0) {
      driver.turn(FOREVER);
    }
    assertEquals(FdWatch.READABLE, events[0]);
  }

  @Test
  void theOtherSideClosingIsReadable() throws Exception {
    Descriptors.Pair sockets = sockets();
    int[] events = new int[1];
    driver.watch(sockets.first(), FdWatch.READABLE, ready -> events[0] = ready);
    driver.turn(0);
    closeFd(sockets.second());
    while (events[0] == 0) {
      driver.turn(FOREVER);
    }
    assertEquals(FdWatch.READABLE, events[0]);
  }

  @Test
  void aPipeNobodyReadsIsWritable() throws Exception {
    Descriptors.Pair pipe = Descriptors.pipe(OpenFlags.NON_BLOCKING);
    MemorySegment much = filled(1 << 20, 1);
    assertTrue(LinuxFiles.write(pipe.second(), much) > 0);
    int[] events = new int[1];
    FdWatch watch = driver.watch(pipe.second(), FdWatch.WRITABLE, ready -> events[0] = ready);
    assertEquals(0, driver.turn(0));
    LinuxFiles.close(pipe.first());
    while (events[0] == 0) {
      driver.turn(FOREVER);
    }
    assertEquals(FdWatch.WRITABLE, events[0]);
    watch.remove();
    LinuxFiles.close(pipe.second());
  }

  @Test
  void oneDescriptorCanHaveTwoWatches() throws Exception {
    Descriptors.Pair sockets = sockets();
    int[] calls = new int[2];
    driver.watch(sockets.first(), FdWatch.READABLE, ready -> calls[0] += ready);
    FdWatch writer = driver.watch(sockets.first(), FdWatch.WRITABLE, ready -> calls[1] += ready);
    assertEquals(1, driver.turn(FOREVER));
    assertEquals(0, calls[0]);
    assertEquals(FdWatch.WRITABLE, calls[1]);
    writer.remove();
    sendByte(sockets.second());
    while (calls[0] == 0) {
      driver.turn(FOREVER);
    }
    assertEquals(FdWatch.WRITABLE, calls[1]);
  }

  @Test
  void filesThatNeverBlockAreAlwaysReady() throws Exception {
    int regular = file();
    int device = LinuxFiles.open("/dev/zero", OpenFlags.READ_ONLY, 0);
    int[] calls = new int[2];
    FdWatch first = driver.watch(regular, FdWatch.READABLE, ready -> calls[0] += ready);
    FdWatch second = driver.watch(device, FdWatch.READABLE, ready -> calls[1] += ready);
    while (calls[0] < 3 || calls[1] < 3) {
      assertTrue(driver.turn(FOREVER) > 0);
    }
    first.setInterest(0);
    second.remove();
    LinuxFiles.close(device);
    int[] before = calls.clone();
    driver.turn(0);
    driver.turn(1000);
    assertEquals(before[0], calls[0]);
    assertEquals(before[1], calls[1]);
  }

  @Test
  void manyWatchesAreServedAtOnce() throws Exception {
    int count = 400;
    List<Descriptors.Pair> pairs = new ArrayList<>();
    boolean[] called = new boolean[count];
    int[] missing = {count};
    for (int i = 0; i < count; i++) {
      Descriptors.Pair pair = sockets();
      pairs.add(pair);
      int index = i;
      FdWatch[] self = new FdWatch[1];
      self[0] =
          driver.watch(
              pair.first(),
              FdWatch.READABLE,
              ready -> {
                assertFalse(called[index]);
                called[index] = true;
                missing[0]--;
                self[0].remove();
              });
    }
    assertEquals(0, driver.turn(0));
    pairs.forEach(pair -> sendByte(pair.second()));
    while (missing[0] > 0) {
      driver.turn(FOREVER);
    }
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
    driver.watch(sockets().first(), FdWatch.READABLE, ready -> {});
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
