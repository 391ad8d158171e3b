package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.IoOp;
import org.tinamou.aio.IoRequest;
import org.tinamou.base.IoVector;
import org.tinamou.host.Descriptors;
import org.tinamou.host.FallocateMode;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.OpenFlags;

/** What every poller does that asks the kernel itself. */
abstract class KernelPollerContract extends PollerContract {
  KernelPollerContract() {
    super(new LinuxHostFiles());
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

  private void sendByte(int fd) {
    assertEquals(1, LinuxFiles.write(fd, filled(1, 1)));
  }

  private void drain(int fd) {
    assertTrue(LinuxFiles.read(fd, filled(4096, 0)) > 0);
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
}
