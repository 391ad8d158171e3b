package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.Poller;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

class PollersTest {
  private final WorkerPool workers = new WorkerPool(1);
  private @Nullable String oldSwitch;

  @BeforeEach
  void clearSwitch() {
    oldSwitch = System.clearProperty(Pollers.SWITCH);
  }

  @AfterEach
  void restore() {
    if (oldSwitch == null) {
      System.clearProperty(Pollers.SWITCH);
    } else {
      System.setProperty(Pollers.SWITCH, oldSwitch);
    }
    workers.close();
  }

  @Test
  void theSwitchForbidsIoUring() throws Exception {
    System.setProperty(Pollers.SWITCH, "threads");
    try (Poller poller = Pollers.open(PollerKind.AUTO, workers)) {
      assertInstanceOf(EpollPoller.class, poller);
    }
    ErrnoException thrown =
        assertThrows(
            ErrnoException.class, () -> Pollers.open(PollerKind.IO_URING, workers).close());
    assertEquals(Errno.EPERM, thrown.errno());
  }

  @Test
  void theSwitchForbidsEveryNativeCall() throws Exception {
    System.setProperty(Pollers.SWITCH, "nio");
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext context = host.newContext("main", BusyPolling.OFF)) {
      assertInstanceOf(NioFiles.class, context.hostFiles());
    }
    ErrnoException thrown =
        assertThrows(
            ErrnoException.class, () -> Pollers.open(PollerKind.IO_URING, workers).close());
    assertEquals(Errno.EPERM, thrown.errno());
  }

  /** What is at hand comes without a turn of the loop, but only so much of it in one turn. */
  @Test
  void aRingReadsWhatIsAtHand(@TempDir Path directory) throws Exception {
    Path file = Files.write(directory.resolve("file"), new byte[8192]);
    Files.write(file, new byte[] {1, 2, 3, 4}, java.nio.file.StandardOpenOption.WRITE);
    Files.readAllBytes(file);
    try (LoopHost host = new LoopHost(PollerKind.IO_URING);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      main.runUntilDone("main", () -> readAtHand(main, file));
    }
  }

  private static boolean readAtHand(AioContext main, Path file) throws ErrnoException {
    int fd = main.callBlocking(() -> main.hostFiles().open(file, 0));
    MemorySegment buffer = Arena.ofAuto().allocate(4096);
    long before = main.turn().turns();
    assertEquals(4096, main.io().readAtHand(fd, buffer, 0));
    assertEquals(3, buffer.get(ValueLayout.JAVA_BYTE, 2));
    assertEquals(0, main.io().readAtHand(fd, buffer, 8192));
    int reads = 2;
    while (main.io().readAtHand(fd, buffer, 4096) == 4096) {
      reads++;
    }
    assertEquals(2048, reads);
    assertEquals(before, main.turn().turns());
    Coroutine.yieldNow();
    assertEquals(4096, main.io().readAtHand(fd, buffer, 0));
    main.callBlocking(
        () -> {
          main.hostFiles().close(fd);
          return true;
        });
    return true;
  }

  /** With native calls and without. */
  @ParameterizedTest
  @EnumSource(names = {"AUTO", "NIO"})
  void aCopyingThreadMakesItsCallsItself(PollerKind kind, @TempDir Path directory)
      throws Exception {
    Path file = Files.write(directory.resolve("file"), new byte[] {1, 2, 3, 4});
    try (LoopHost host = new LoopHost(kind);
        IoThread copying = host.startCopyingThread("copy");
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      AioContext loop = copying.context();
      Thread caller = main.runUntilDone("main", () -> loop.fork("copy", () -> copy(file)).join());
      assertEquals("copy", caller.getName());
    }
    assertArrayEquals(new byte[] {1, 2, 3, 4, 1, 2, 3, 4}, Files.readAllBytes(file));
  }

  /** Repeats what a file holds; returns the thread that runs blocking calls. */
  private static Thread copy(Path file) throws Exception {
    AioContext loop = Coroutine.current().context();
    HostFiles files = loop.hostFiles();
    try (Arena arena = Arena.ofShared()) {
      int fd = loop.callBlocking(() -> files.open(file, 0, HostFiles.OpenFlag.READ_WRITE));
      MemorySegment buffer = arena.allocate(4);
      assertEquals(4, loop.io().read(fd, buffer, 0));
      assertEquals(4, loop.io().write(fd, buffer, 4));
      assertEquals(0, loop.io().fdatasync(fd));
      return loop.callBlocking(
          () -> {
            files.close(fd);
            return Thread.currentThread();
          });
    }
  }

  @Test
  void theSwitchKnowsThreeValues() {
    System.setProperty(Pollers.SWITCH, "native");
    assertThrows(
        IllegalArgumentException.class, () -> Pollers.open(PollerKind.AUTO, workers).close());
  }

  @Test
  void whereTheKernelForbidsIoUringThereAreThreads() throws Exception {
    FutureTask<Errno> refusal =
        new FutureTask<>(
            () -> {
              assertDoesNotThrow(PollersTest::forbidIoUringInThisThread);
              try (Poller poller = Pollers.open(PollerKind.AUTO, workers)) {
                assertInstanceOf(EpollPoller.class, poller);
                poller.poll(0);
              }
              return assertThrows(
                      ErrnoException.class,
                      () -> Pollers.open(PollerKind.IO_URING, workers).close())
                  .errno();
            });
    Thread.ofPlatform().start(refusal);
    assertEquals(Errno.EPERM, refusal.get());
  }

  /** A seccomp filter that answers io_uring_setup with EPERM, for the calling thread only. */
  private static void forbidIoUringInThisThread() throws Throwable {
    Linker linker = Linker.nativeLinker();
    ValueLayout.OfLong number = ValueLayout.JAVA_LONG;
    MethodHandle prctl =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("prctl"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, number, number, number, number));
    int setSeccomp = 22;
    int setNoNewPrivileges = 38;
    long[] program = {
      instruction(0x20, 0, 0, 0), // load the number of the system call
      instruction(0x15, 0, 1, 425), // io_uring_setup? else skip one
      instruction(0x06, 0, 0, 0x00050001), // fail with EPERM
      instruction(0x06, 0, 0, 0x7fff0000) // allow
    };
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment filter = arena.allocate(16, 8);
      filter.set(ValueLayout.JAVA_SHORT, 0, (short) program.length);
      filter.set(ValueLayout.ADDRESS, 8, arena.allocateFrom(number, program));
      assertEquals(0, (int) prctl.invokeExact(setNoNewPrivileges, 1L, 0L, 0L, 0L));
      assertEquals(0, (int) prctl.invokeExact(setSeccomp, 2L, filter.address(), 0L, 0L));
    }
  }

  private static long instruction(int code, int jumpTrue, int jumpFalse, int constant) {
    return code | (long) jumpTrue << 16 | (long) jumpFalse << 24 | (constant & 0xffffffffL) << 32;
  }
}
