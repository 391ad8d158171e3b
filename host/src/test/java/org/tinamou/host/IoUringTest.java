package org.tinamou.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.base.Zeroes;

@EnabledIf("kernelAllowsIt")
class IoUringTest {
  private static final int ECANCELED = -Errno.ECANCELED.number();

  @TempDir Path folder;
  private final Arena arena = Arena.ofShared();
  private IoUring ring;
  private int fd;

  static boolean kernelAllowsIt() {
    try (IoUring probe = IoUring.open(4, 8)) {
      return probe.capacity() > 0;
    } catch (ErrnoException refused) {
      return false;
    }
  }

  @BeforeEach
  void open() throws Exception {
    ring = IoUring.open(16, 32);
    String name = folder.resolve("data").toString();
    fd = LinuxFiles.open(name, OpenFlags.READ_WRITE | OpenFlags.CREATE, 0644);
  }

  @AfterEach
  void close() {
    ring.close();
    LinuxFiles.close(fd);
    arena.close();
  }

  private MemorySegment filled(long size, int value) {
    return arena.allocate(size, 4096).fill((byte) value);
  }

  /** Submits, waits for so many completions and returns their results by user data. */
  private Map<Long, Integer> complete(int count) {
    Map<Long, Integer> results = new HashMap<>();
    while (results.size() < count) {
      int submitted = ring.submitAndWait(1, IoUring.FOREVER);
      assertTrue(submitted >= 0 || submitted == -Errno.EBUSY.number(), "enter: " + submitted);
      int completions = ring.completions();
      for (int i = 0; i < completions; i++) {
        results.put(ring.userData(i), ring.result(i));
      }
      ring.consume(completions);
    }
    return results;
  }

  private int completeOne() {
    return complete(1).values().iterator().next();
  }

  @Test
  void readsAndWrites() {
    ring.prepareWrite(fd, filled(5000, 7), 100, 1);
    assertEquals(1, ring.unsubmitted());
    assertEquals(5000, completeOne());
    assertEquals(0, ring.unsubmitted());
    MemorySegment back = filled(8192, 1);
    ring.prepareRead(fd, back, 0, 2);
    assertEquals(5100, completeOne());
    assertTrue(Zeroes.isZero(back.asSlice(0, 100)));
    assertEquals(-1, back.asSlice(100, 5000).mismatch(filled(5000, 7)));
    ring.prepareRead(fd, back, 5100, 3);
    assertEquals(0, completeOne());
    ring.prepareRead(1 << 20, back, 0, 4);
    assertEquals(-Errno.EBADF.number(), completeOne());
    MemorySegment heap = MemorySegment.ofArray(new byte[1]);
    assertThrows(IllegalArgumentException.class, () -> ring.prepareRead(fd, heap, 0, 5));
  }

  @Test
  void vectorsTransferTheirSegmentsInOrder() {
    IoVector out = IoVector.of(List.of(filled(10, 1), filled(20, 2), filled(30, 3)));
    MemorySegment list = arena.allocate(Iovecs.bytes(3), 8);
    ring.prepareWritev(fd, list, Iovecs.write(out, list), 5, 1);
    assertEquals(60, completeOne());
    MemorySegment whole = filled(65, 9);
    IoVector in = IoVector.of(List.of(whole.asSlice(0, 33), whole.asSlice(33)));
    ring.prepareReadv(fd, list, Iovecs.write(in, list), 0, 2);
    assertEquals(65, completeOne());
    assertEquals(1, whole.get(ValueLayout.JAVA_BYTE, 14));
    assertEquals(2, whole.get(ValueLayout.JAVA_BYTE, 15));
    assertEquals(3, whole.get(ValueLayout.JAVA_BYTE, 64));
  }

  @Test
  void registeredFilesAndBuffersServeTransfers() throws Exception {
    MemorySegment pinned = filled(8192, 3);
    ring.registerFiles(-1, fd);
    ring.registerBuffers(List.of(pinned));
    ring.prepareWriteFixed(1, pinned.asSlice(0, 4096), 0, 0, 1);
    ring.changeLast(IoUring.FIXED_FILE);
    assertEquals(4096, completeOne());
    ring.prepareReadFixed(1, pinned.asSlice(4096, 100), 0, 0, 2);
    ring.changeLast(IoUring.FIXED_FILE);
    assertEquals(100, completeOne());
    ring.prepareReadFixed(1, filled(4096, 0), 0, 0, 3);
    ring.changeLast(IoUring.FIXED_FILE);
    assertEquals(-Errno.EFAULT.number(), completeOne());
    ring.updateFile(1, -1);
    ring.updateFile(0, fd);
    ring.prepareFsync(1, true, 4);
    ring.changeLast(IoUring.FIXED_FILE);
    assertEquals(-Errno.EBADF.number(), completeOne());
    ring.prepareFsync(0, true, 5);
    ring.changeLast(IoUring.FIXED_FILE);
    assertEquals(0, completeOne());
    ring.unregisterBuffers();
    ring.unregisterFiles();
    ErrnoException thrown = assertThrows(ErrnoException.class, () -> ring.unregisterFiles());
    assertEquals(Errno.ENXIO, thrown.errno());
  }

  @Test
  void flushesAndAllocates() throws Exception {
    ring.prepareWrite(fd, filled(1 << 20, 1), 0, 1);
    ring.changeLast(IoUring.LINK);
    ring.prepareFsync(fd, false, 2);
    ring.changeLast(IoUring.LINK);
    int punch = FallocateMode.PUNCH_HOLE | FallocateMode.KEEP_SIZE;
    ring.prepareFallocate(fd, punch, 4096, 65536, 3);
    ring.changeLast(IoUring.LINK);
    ring.prepareFsync(fd, true, 4);
    assertEquals(Map.of(1L, 1 << 20, 2L, 0, 3L, 0, 4L, 0), complete(4));
    assertEquals(4096, LinuxFiles.seekHole(fd, 0));
    assertEquals(4096 + 65536, LinuxFiles.seekData(fd, 4096));
  }

  @Test
  void aPollReportsOnceWhatHoldsAndCanBeRemoved() throws Exception {
    Descriptors.Pair sockets = Descriptors.socketPair(OpenFlags.NON_BLOCKING);
    ring.preparePollAdd(sockets.first(), Epoll.OUT, 1);
    assertEquals(Epoll.OUT, completeOne() & Epoll.OUT);
    ring.preparePollAdd(sockets.first(), Epoll.IN, 2);
    ring.preparePollAdd(sockets.second(), Epoll.IN, 3);
    ring.preparePollRemove(2, 4);
    assertEquals(Map.of(2L, ECANCELED, 4L, 0), complete(2));
    LinuxFiles.write(sockets.first(), filled(1, 1));
    assertEquals(Map.of(3L, Epoll.IN), complete(1));
    LinuxFiles.close(sockets.first());
    LinuxFiles.close(sockets.second());
  }

  @Test
  void aMultishotPollReportsEachWrite() throws Exception {
    try (EventFd event = EventFd.open(false)) {
      ring.preparePollMultishot(event.fd(), Epoll.IN, 1);
      assertEquals(1, ring.submit());
      for (int i = 0; i < 3; i++) {
        event.signal();
        assertEquals(0, ring.submitAndWait(1, IoUring.FOREVER));
        assertEquals(1, ring.completions());
        assertEquals(IoUring.MORE, ring.flags(0) & IoUring.MORE);
        ring.consume(1);
        assertEquals(0, ring.completions());
      }
    }
  }

  @Test
  void waitsEndByTime() {
    assertEquals(0, ring.submitAndWait(1, 2_000_000));
    assertEquals(0, ring.completions());
  }

  @Test
  void timeoutsReportTheTimeAndCanBeRemoved() {
    MemorySegment timespec = arena.allocate(16, 8);
    timespec.set(ValueLayout.JAVA_LONG, 8, 1000);
    ring.prepareTimeout(timespec, 0, 1);
    assertEquals(-Errno.ETIME.number(), completeOne());
    timespec.set(ValueLayout.JAVA_LONG, 0, 1000);
    ring.prepareTimeout(timespec, 0, 2);
    ring.prepareTimeoutRemove(2, 3);
    assertEquals(Map.of(2L, ECANCELED, 3L, 0), complete(2));
  }

  @Test
  void operationsCanBeCancelled() throws Exception {
    Descriptors.Pair pipe = Descriptors.pipe(0);
    ring.prepareRead(pipe.first(), filled(10, 0), 0, 1);
    ring.submit();
    assertEquals(0, ring.completions());
    ring.prepareCancel(1, 2);
    assertEquals(Map.of(1L, ECANCELED, 2L, 0), complete(2));
    ring.prepareCancel(77, 3);
    assertEquals(Map.of(3L, -Errno.ENOENT.number()), complete(1));
    LinuxFiles.close(pipe.first());
    LinuxFiles.close(pipe.second());
  }

  @Test
  void messagesReachAnotherRing() throws Exception {
    try (IoUring other = IoUring.openShared(4, 8)) {
      ring.prepareMessage(other.ringFd(), 123, 456, 1);
      assertEquals(0, completeOne());
      assertEquals(0, other.submitAndWait(1, IoUring.FOREVER));
      assertEquals(1, other.completions());
      assertEquals(456, other.userData(0));
      assertEquals(123, other.result(0));
    }
  }

  @Test
  void successCanGoUnreported() {
    ring.prepareNop(1);
    ring.changeLast(IoUring.SKIP_SUCCESS);
    ring.prepareNop(2);
    assertEquals(Map.of(2L, 0), complete(1));
    assertFalse(ring.needsEnter());
  }

  @Test
  void aFullRingHasNoRoomUntilItIsSubmitted() {
    for (int i = 0; i < ring.capacity(); i++) {
      assertEquals(ring.capacity() - i, ring.spaceLeft());
      assertEquals(i, ring.nextIndex());
      ring.prepareNop(i);
    }
    assertEquals(0, ring.spaceLeft());
    assertThrows(IllegalStateException.class, () -> ring.prepareNop(99));
    assertEquals(ring.capacity(), complete(ring.capacity()).size());
    assertEquals(ring.capacity(), ring.spaceLeft());
  }

  @Test
  void completionsBeyondTheRingAreKept() {
    int total = 200;
    List<Long> seen = new ArrayList<>();
    for (long i = 0; i < total; i++) {
      if (ring.spaceLeft() == 0) {
        ring.submit();
      }
      if (ring.spaceLeft() == 0) {
        drainInto(seen);
        ring.submit();
      }
      ring.prepareNop(i);
    }
    ring.submit();
    assertTrue(ring.needsEnter());
    while (seen.size() < total) {
      drainInto(seen);
      ring.submit();
    }
    assertEquals(total, seen.stream().distinct().count());
    assertFalse(ring.needsEnter());
  }

  private void drainInto(List<Long> seen) {
    int completions = ring.completions();
    for (int i = 0; i < completions; i++) {
      seen.add(ring.userData(i));
    }
    ring.consume(completions);
  }

  @Test
  void aRingBelongsToTheThreadThatFirstSubmits() throws Exception {
    ring.prepareNop(1);
    ring.submit();
    int[] result = new int[1];
    Thread stranger = Thread.ofPlatform().start(() -> result[0] = ring.submit());
    stranger.join();
    // Kernels without the single-issuer flag do not care.
    assertTrue(result[0] == 0 || result[0] == -Errno.EEXIST.number(), "was " + result[0]);
  }

  @Test
  void aClosedRingIsRefused() {
    ring.close();
    assertThrows(IllegalStateException.class, () -> ring.prepareNop(1));
    assertThrows(IllegalStateException.class, () -> ring.submit());
    assertThrows(IllegalStateException.class, () -> ring.completions());
    ring.close();
  }

  @Test
  void nonsenseIsRefusedWithItsKind() {
    ErrnoException thrown = assertThrows(ErrnoException.class, () -> IoUring.open(0, 0));
    assertEquals(Errno.EINVAL, thrown.errno());
  }
}
