package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.Descriptors;
import org.tinamou.host.LinuxFiles;

@OnEveryPoller
class FdWatchTest {
  private final LoopRig rig;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment oneByte = arena.allocate(1);
  private final List<Integer> open = new ArrayList<>();

  FdWatchTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
    open.forEach(LinuxFiles::close);
    arena.close();
  }

  private Descriptors.Pair pipe() throws ErrnoException {
    return opened(Descriptors.pipe(0));
  }

  private Descriptors.Pair opened(Descriptors.Pair pair) {
    open.add(pair.first());
    open.add(pair.second());
    return pair;
  }

  private void closeNow(int fd) {
    open.remove((Object) fd);
    assertEquals(0, LinuxFiles.close(fd));
  }

  private void put(int fd) {
    assertEquals(1, LinuxFiles.write(fd, oneByte));
  }

  private void take(int fd) {
    assertEquals(1, LinuxFiles.read(fd, oneByte));
  }

  @Test
  void tellsOfReadableDataUntilItIsTaken() throws Exception {
    rig.run(
        loop -> {
          Descriptors.Pair pipe = pipe();
          int[] calls = new int[1];
          FdWatch watch =
              loop.watch(
                  pipe.first(),
                  FdWatch.READABLE,
                  events -> {
                    assertEquals(FdWatch.READABLE, events);
                    if (++calls[0] == 3) {
                      take(pipe.first());
                    }
                  });
          LoopRig.settle();
          assertEquals(0, calls[0]);
          put(pipe.second());
          LoopRig.turnUntil(() -> calls[0] == 3);
          LoopRig.settle();
          assertEquals(3, calls[0], "level-triggered, and quiet once taken");
          watch.remove();
        });
  }

  @Test
  void tellsOfWritabilityAndOfAHangUp() throws Exception {
    rig.run(
        loop -> {
          Descriptors.Pair sockets = opened(Descriptors.socketPair(0));
          int[] seen = new int[1];
          FdWatch watch =
              loop.watch(
                  sockets.first(),
                  FdWatch.READABLE | FdWatch.WRITABLE,
                  events -> seen[0] |= events);
          LoopRig.turnUntil(() -> seen[0] == FdWatch.WRITABLE);
          closeNow(sockets.second());
          LoopRig.turnUntil(() -> seen[0] == (FdWatch.READABLE | FdWatch.WRITABLE));
          watch.remove();
        });
  }

  @Test
  void aPausedWatchIsQuiet() throws Exception {
    rig.run(
        loop -> {
          Descriptors.Pair pipe = pipe();
          int[] calls = new int[1];
          FdWatch watch = loop.watch(pipe.first(), 0, events -> calls[0]++);
          put(pipe.second());
          LoopRig.settle();
          assertEquals(0, calls[0]);
          watch.setInterest(FdWatch.READABLE);
          LoopRig.turnUntil(() -> calls[0] > 0);
          watch.setInterest(0);
          int before = calls[0];
          LoopRig.settle();
          assertEquals(before, calls[0]);
          watch.remove();
          assertThrows(IllegalStateException.class, () -> watch.setInterest(FdWatch.READABLE));
        });
  }

  /** All descriptors are ready in one turn; whichever handler comes first removes them all. */
  @Test
  void a10_s9_handlersRemoveThemselvesAndEachOtherInDispatch() throws Exception {
    rig.run(
        loop -> {
          for (int round = 0; round < 20; round++) {
            int count = 6;
            List<Descriptors.Pair> pipes = new ArrayList<>();
            List<FdWatch> watches = new ArrayList<>();
            int[] calls = new int[1];
            for (int i = 0; i < count; i++) {
              Descriptors.Pair pipe = pipe();
              pipes.add(pipe);
              put(pipe.second());
            }
            for (Descriptors.Pair pipe : pipes) {
              watches.add(
                  loop.watch(
                      pipe.first(),
                      FdWatch.READABLE,
                      events -> {
                        calls[0]++;
                        watches.forEach(FdWatch::remove);
                        pipes.forEach(each -> closeNow(each.first()));
                      }));
            }
            LoopRig.turnUntil(() -> calls[0] > 0);
            LoopRig.settle();
            assertEquals(1, calls[0], "a removed watch was called");
            pipes.forEach(each -> closeNow(each.second()));
          }
        });
  }

  @Test
  void a10_handlerReplacesANeighbourThatIsAboutToRun() throws Exception {
    rig.run(
        loop -> {
          Descriptors.Pair one = pipe();
          Descriptors.Pair two = pipe();
          put(one.second());
          put(two.second());
          List<String> calls = new ArrayList<>();
          FdWatch[] watches = new FdWatch[2];
          for (int i = 0; i < 2; i++) {
            int self = i;
            int fd = i == 0 ? one.first() : two.first();
            int otherFd = i == 0 ? two.first() : one.first();
            watches[i] =
                loop.watch(
                    fd,
                    FdWatch.READABLE,
                    events -> {
                      calls.add("old");
                      take(fd);
                      watches[1 - self].remove();
                      watches[1 - self] =
                          loop.watch(
                              otherFd,
                              FdWatch.READABLE,
                              again -> {
                                calls.add("new");
                                take(otherFd);
                              });
                    });
          }
          LoopRig.turnUntil(() -> calls.size() == 2);
          LoopRig.settle();
          assertEquals(List.of("old", "new"), calls);
          watches[0].remove();
          watches[1].remove();
        });
  }

  @Test
  void aDescriptorNumberUsedAnewHasNothingOfTheOldOne() throws Exception {
    rig.run(
        loop -> {
          for (int round = 0; round < 50; round++) {
            Descriptors.Pair old = pipe();
            int[] calls = new int[2];
            FdWatch watch = loop.watch(old.first(), FdWatch.READABLE, events -> calls[0]++);
            Coroutine.yieldNow();
            put(old.second());
            watch.remove();
            closeNow(old.first());
            closeNow(old.second());
            Descriptors.Pair fresh = pipe();
            FdWatch second = loop.watch(fresh.first(), FdWatch.READABLE, events -> calls[1]++);
            LoopRig.settle();
            assertEquals(0, calls[0] + calls[1]);
            put(fresh.second());
            LoopRig.turnUntil(() -> calls[1] > 0);
            assertEquals(0, calls[0]);
            second.remove();
            closeNow(fresh.first());
            closeNow(fresh.second());
          }
        });
  }

  @Test
  void a9_noHandlerIsCalledThatIsNotReady() throws Exception {
    rig.run(
        loop -> {
          List<Descriptors.Pair> pipes = new ArrayList<>();
          List<FdWatch> watches = new ArrayList<>();
          int[] filled = {-1};
          int[] calls = new int[1];
          for (int i = 0; i < 32; i++) {
            Descriptors.Pair pipe = pipe();
            int self = i;
            pipes.add(pipe);
            watches.add(
                loop.watch(
                    pipe.first(),
                    FdWatch.READABLE,
                    events -> {
                      assertEquals(filled[0], self);
                      take(pipe.first());
                      filled[0] = -1;
                      calls[0]++;
                    }));
          }
          for (int i = 0; i < 500; i++) {
            int chosen = i * 7 % pipes.size();
            int before = calls[0];
            filled[0] = chosen;
            put(pipes.get(chosen).second());
            LoopRig.turnUntil(() -> calls[0] > before);
          }
          watches.forEach(FdWatch::remove);
        });
  }

  @Test
  void s4_watchAddedByACallbackOfASleepingLoopIsSeenAtOnce() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    Descriptors.Pair pipe = pipe();
    put(pipe.second());
    LoopRig.spinUntil(() -> loop.turn().isWaiting());
    var done =
        loop.submit(
            "adder",
            () -> {
              Coroutine self = Coroutine.current();
              boolean[] called = new boolean[1];
              FdWatch watch =
                  loop.watch(
                      pipe.first(),
                      FdWatch.READABLE,
                      events -> {
                        called[0] = true;
                        self.wake();
                      });
              while (!called[0]) {
                Coroutine.suspend("descriptor");
              }
              watch.remove();
              return true;
            });
    assertTrue(done.get());
  }

  @Test
  void a8_watchesBelongToTheHomeThread() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    loop.submit("start", () -> true).get();
    Descriptors.Pair pipe = pipe();
    assertThrows(
        IllegalStateException.class, () -> loop.watch(pipe.first(), FdWatch.READABLE, e -> {}));
    FdWatch watch = loop.submit("w", () -> loop.watch(pipe.first(), 0, e -> {})).get();
    assertThrows(IllegalStateException.class, () -> watch.setInterest(FdWatch.READABLE));
    assertThrows(IllegalStateException.class, watch::remove);
    loop.submit(
            "remove",
            () -> {
              watch.remove();
              watch.remove();
              return true;
            })
        .get();
  }

  @Test
  void aDescriptorThatCannotBeWatchedLeavesTheLoopClean() throws Exception {
    rig.run(
        loop -> {
          Descriptors.Pair pipe = pipe();
          closeNow(pipe.first());
          closeNow(pipe.second());
          int[] calls = new int[1];
          FdWatch watch;
          try {
            watch = loop.watch(pipe.first(), FdWatch.READABLE, events -> calls[0]++);
          } catch (IllegalStateException refused) {
            assertFalse(loop.dump().toString().contains("watch"), () -> loop.dump().toString());
            return;
          }
          // A ring tells of it later: the handler meets the error itself.
          LoopRig.turnUntil(() -> calls[0] > 0);
          watch.remove();
        });
  }
}
