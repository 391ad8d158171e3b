package org.tinamou.testkit.workload;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.BottomHalf;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.CoRwLock;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.FdWatch;
import org.tinamou.base.ClockType;
import org.tinamou.base.SeededRandom;
import org.tinamou.testkit.sim.SimClocks;
import org.tinamou.testkit.sim.Simulation;

/**
 * Coroutines that do everything a loop offers, in random order, on random loops, while foreign
 * threads schedule, wake and submit.
 */
final class LoopsWorkload implements Workload {
  private static final int MAX_DEPTH = 3;

  /** A bottom half with its own account of what is owed to it, apart from the simulator's. */
  private final class OwedBottomHalf {
    final BottomHalf bottomHalf;
    boolean owed;

    OwedBottomHalf(AioContext context, int number) {
      bottomHalf = context.bottomHalf("bh" + number, this::called);
    }

    void schedule() {
      owed = true;
      bottomHalf.schedule();
    }

    void called() {
      owed = false;
      if (random.chance(1, 3)) {
        schedule();
      }
    }
  }

  private final List<AioContext> loops = new ArrayList<>();
  private final List<OwedBottomHalf> bottomHalves = new ArrayList<>();
  private final List<Coroutine> coroutines = new ArrayList<>();
  private final CoMutex mutex = new CoMutex("m");
  private final CoRwLock rwLock = new CoRwLock("rw");
  private @Nullable Simulation simulationOrNull;
  private SeededRandom random = new SeededRandom(0);
  private int insideMutex;
  private int readers;
  private int writers;
  private int nextFd = 1000;

  private Simulation simulation() {
    return java.util.Objects.requireNonNull(simulationOrNull);
  }

  @Override
  public void run(Simulation simulation) {
    simulationOrNull = simulation;
    random = simulation.random().fork();
    simulation.startFaults();
    for (int i = 0; i < simulation.config().loops(); i++) {
      loops.add(simulation.newLoop("loop" + i));
    }
    for (int i = 0; i < 1 + random.nextInt(4); i++) {
      bottomHalves.add(new OwedBottomHalf(anyLoop(), i));
    }
    int count = 1 + random.nextInt(6);
    for (int i = 0; i < count; i++) {
      spawn(anyLoop(), "co" + i, 0);
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      simulation.foreignThread("foreign" + i, foreignSteps());
    }
    Workload.runToRest(simulation);
    for (OwedBottomHalf each : bottomHalves) {
      simulation.require(!each.owed, "I1", each.bottomHalf + " was scheduled and never ran");
    }
    simulation.closeLoops();
  }

  private AioContext anyLoop() {
    return loops.get(random.nextInt(loops.size()));
  }

  private Coroutine spawn(AioContext loop, String name, int depth) {
    Coroutine coroutine =
        loop.spawn(
            name,
            () -> {
              int steps = 2 + random.nextInt(depth == 0 ? 14 : 5);
              for (int i = 0; i < steps; i++) {
                act(depth);
                checkHome();
              }
            });
    coroutines.add(coroutine);
    return coroutine;
  }

  private void checkHome() {
    simulation()
        .require(
            AioContext.currentOrNull() == Coroutine.current().context()
                && simulation().stepping() == Coroutine.current().context(),
            "I5",
            Coroutine.current() + " is not where it belongs");
  }

  private List<Runnable> foreignSteps() {
    List<Runnable> steps = new ArrayList<>();
    for (int i = 1 + random.nextInt(12); i > 0; i--) {
      steps.add(
          switch (random.nextInt(4)) {
            case 0 -> () -> anyBottomHalf().schedule();
            case 1 -> this::wakeAnybody;
            case 2 -> () -> spawn(anyLoop(), "late", MAX_DEPTH);
            default -> () -> anyLoop().scheduleOnce("once", this::wakeAnybody);
          });
    }
    return steps;
  }

  private OwedBottomHalf anyBottomHalf() {
    return bottomHalves.get(random.nextInt(bottomHalves.size()));
  }

  /** A wake-up nobody waits for: every wait must survive it. */
  private void wakeAnybody() {
    if (!coroutines.isEmpty()) {
      coroutines.get(random.nextInt(coroutines.size())).wake();
    }
  }

  private void act(int depth) throws Exception {
    int choice = random.nextInt(15);
    simulation().note("act", Coroutine.current().name(), choice);
    switch (choice) {
      case 0, 1 -> anyBottomHalf().schedule();
      case 2 -> wakeAnybody();
      case 3 -> lockMutex();
      case 4 -> readOrWrite();
      case 5, 6 -> move();
      case 7 -> sleep();
      case 8 -> callWorker();
      case 9 -> {
        if (depth < MAX_DEPTH) {
          spawn(anyLoop(), Coroutine.current().name() + "'", depth + 1).join();
        }
      }
      case 10 -> Coroutine.yieldNow();
      case 11 -> waitInQueue();
      case 12 -> waitForBottomHalf();
      case 13 -> cancelAndDelete();
      default -> waitForDescriptor();
    }
  }

  private void lockMutex() {
    if (random.chance(1, 8)) {
      if (!mutex.tryLock()) {
        return;
      }
    } else {
      mutex.lock();
    }
    insideMutex++;
    simulation().require(insideMutex == 1, "mutex", "two coroutines hold one mutex");
    pause();
    if (random.chance(1, 4)) {
      move();
    }
    simulation().require(insideMutex == 1, "mutex", "two coroutines hold one mutex");
    insideMutex--;
    mutex.unlock();
  }

  private void pause() {
    if (random.nextBoolean()) {
      Coroutine.yieldNow();
    }
  }

  private void readOrWrite() {
    boolean write = random.chance(1, 3);
    if (write) {
      rwLock.writeLock();
      writeInside();
      if (random.nextBoolean()) {
        rwLock.downgrade();
        readInside();
      }
    } else {
      rwLock.readLock();
      readInside();
      if (random.chance(1, 3)) {
        rwLock.upgrade();
        writeInside();
      }
    }
    rwLock.unlock();
  }

  private void writeInside() {
    writers++;
    simulation().require(writers == 1 && readers == 0, "rwlock", "a writer is not alone");
    pause();
    simulation().require(writers == 1 && readers == 0, "rwlock", "a writer is not alone");
    writers--;
  }

  private void readInside() {
    readers++;
    simulation().require(writers == 0, "rwlock", "a reader beside a writer");
    pause();
    simulation().require(writers == 0, "rwlock", "a reader beside a writer");
    readers--;
  }

  private void move() {
    AioContext target = anyLoop();
    Coroutine.moveTo(target);
    simulation().require(simulation().stepping() == target, "I5", "moved to the wrong loop");
  }

  private void sleep() {
    AioContext here = Coroutine.current().context();
    ClockType clock = ClockType.values()[random.nextInt(ClockType.values().length)];
    long nanos = random.nextLong(2_000_000);
    SimClocks clocks = simulation().clocks();
    long before = clocks.nanos(clock);
    long jumpsBefore = clocks.hostJumps();
    here.sleep(clock, nanos);
    if (clock != ClockType.HOST || clocks.hostJumps() == jumpsBefore) {
      simulation()
          .require(clocks.nanos(clock) - before >= nanos, "timer", "woken too early by " + clock);
    }
  }

  private void callWorker() {
    long number = random.nextLong();
    long answer = Coroutine.current().context().callBlocking(() -> number + 1);
    simulation().require(answer == number + 1, "I9", "wrong answer from a worker");
  }

  /** A condition variable: another coroutine makes the condition true, once or for everybody. */
  private void waitInQueue() {
    CoMutex guard = new CoMutex("guard");
    CoQueue queue = new CoQueue("condition");
    boolean[] condition = new boolean[1];
    anyLoop()
        .spawn(
            "signaller",
            () -> {
              pause();
              guard.lock();
              condition[0] = true;
              guard.unlock();
              if (random.nextBoolean()) {
                queue.wakeAll();
              } else {
                queue.wakeOne();
              }
            });
    guard.lock();
    while (!condition[0]) {
      queue.await(guard);
    }
    guard.unlock();
  }

  private void waitForBottomHalf() {
    Coroutine self = Coroutine.current();
    boolean[] ran = new boolean[1];
    anyLoop()
        .scheduleOnce(
            "waker",
            () -> {
              ran[0] = true;
              self.wake();
            });
    while (!ran[0]) {
      Coroutine.suspend("bottom half");
    }
  }

  private void cancelAndDelete() {
    AioContext here = Coroutine.current().context();
    boolean[] ran = new boolean[2];
    BottomHalf bottomHalf = here.bottomHalf("cancelled", () -> ran[0] = true);
    bottomHalf.schedule();
    bottomHalf.cancel();
    if (random.nextBoolean()) {
      bottomHalf.delete();
    }
    AioTimer timer = here.timer(ClockType.REALTIME, "cancelled", () -> ran[1] = true);
    timer.armIn(random.nextLong(1000));
    timer.cancel();
    Coroutine.yieldNow();
    simulation().require(!ran[0] && !ran[1], "I1", "a cancelled callback ran");
  }

  /** A descriptor becomes ready; its handler removes itself and, at times, a neighbour as well. */
  private void waitForDescriptor() {
    Coroutine self = Coroutine.current();
    AioContext here = self.context();
    int fd = nextFd++;
    boolean[] handled = new boolean[1];
    FdWatch[] watches = new FdWatch[2];
    watches[0] =
        here.watch(
            fd,
            FdWatch.READABLE,
            events -> {
              simulation().require(!handled[0], "I8", "a removed watch was dispatched");
              if (simulation().readiness(fd) == 0) {
                return; // reported for nothing
              }
              handled[0] = true;
              watches[0].remove();
              watches[1].remove();
              self.wake();
            });
    watches[1] =
        here.watch(
            fd,
            FdWatch.READABLE,
            events -> {
              simulation().require(!handled[0], "I8", "a removed watch was dispatched");
              if (simulation().readiness(fd) != 0 && random.nextBoolean()) {
                handled[0] = true;
                watches[0].remove();
                watches[1].remove();
                self.wake();
              }
            });
    anyLoop().scheduleOnce("ready", () -> simulation().setReadiness(fd, FdWatch.READABLE));
    while (!handled[0]) {
      Coroutine.suspend("descriptor");
    }
    simulation().setReadiness(fd, 0);
  }
}
