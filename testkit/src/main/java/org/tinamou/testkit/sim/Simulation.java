package org.tinamou.testkit.sim;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.LoopSetup;
import org.tinamou.aio.LoopTurn;
import org.tinamou.aio.Poller;
import org.tinamou.base.SeededRandom;
import org.tinamou.testkit.net.SimNetwork;

/**
 * A whole host in one thread: loops, workers and foreign threads take steps one at a time, in an
 * order that the seed decides. After every step the invariants of the loops are checked.
 *
 * <p>Confined to the thread that made it. The same seed gives the same {@link #hash()}.
 */
public final class Simulation {
  private static final int MAX_STEPS_OF_DISTURBED_RUN = 1_000_000;
  private static final long MAX_STEP_NANOS = 1_000;
  private static final long MAX_WAKE_DELAY_NANOS = 50_000;
  private static final int MAX_INTERLEAVED_STEPS = 3;
  private static final long LATEST_TIMER_NANOS = 20_000_000L;

  private static final class Loop {
    final AioContext context;
    final SimPoller poller;
    long deadlineNanos;
    long deadlineReturns;
    long completions;

    Loop(AioContext context, SimPoller poller) {
      this.context = context;
      this.poller = poller;
    }
  }

  private record Foreign(String name, List<Runnable> steps) {}

  private final long seed;
  private final SeededRandom random;
  private final SimConfig config;
  private final SchedulingPolicy policy;
  private final SimClocks clocks = new SimClocks();
  private final EventHash hash;
  private final SimDisk disk;
  private @Nullable SimNetwork network;
  private final SimHooks hooks;
  private final ClockFaults clockFaults;
  private final List<Loop> loops = new ArrayList<>();
  private final List<Foreign> foreigners = new ArrayList<>();
  private final Map<Integer, Integer> readiness = new LinkedHashMap<>();
  private SimWorkers workers;
  private final Thread thread = Thread.currentThread();

  private volatile @Nullable Violation violation;
  private @Nullable AioContext stepping;
  private volatile boolean disturbed;
  private final Set<Coroutine> paused = ConcurrentHashMap.newKeySet();
  private boolean interleaving;
  private boolean calm;
  private SimFaults faults = SimFaults.NONE;
  private long steps;
  private @Nullable AioContext audited;
  private @Nullable Runnable audit;

  /**
   * A host without loops, at rest.
   *
   * @param seed decides everything
   * @param remember keep the last events in words, for a report
   */
  public Simulation(long seed, boolean remember) {
    this(seed, remember, SimConfig::draw);
  }

  /** As the other one, with just these circumstances. */
  public Simulation(long seed, SimConfig config) {
    this(seed, false, random -> config);
  }

  private Simulation(long seed, boolean remember, Function<SeededRandom, SimConfig> configuring) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.config = configuring.apply(random);
    this.policy = SchedulingPolicy.of(config.policy(), random.fork());
    this.hash = new EventHash(remember);
    this.disk = new SimDisk(this);
    this.clockFaults = new ClockFaults(this, random.fork());
    this.hooks = new SimHooks(this);
    this.workers = new SimWorkers(this);
  }

  public long seed() {
    return seed;
  }

  public SimConfig config() {
    return config;
  }

  public SeededRandom random() {
    return random;
  }

  public SimDisk disk() {
    return disk;
  }

  public SimClocks clocks() {
    return clocks;
  }

  /** The sockets of the simulated host. */
  public SimNetwork network() {
    SimNetwork made = network;
    if (made == null) {
      made = new SimNetwork(random.fork(), clocks);
      network = made;
    }
    return made;
  }

  public long nowNanos() {
    return clocks.nowNanos();
  }

  public long hash() {
    return hash.value();
  }

  public long steps() {
    return steps;
  }

  /** The last events, oldest first. */
  public List<String> recentEvents() {
    return hash.recent();
  }

  /** Whether faults are off and everything has to finish. */
  public boolean isCalm() {
    return calm;
  }

  /** From now on the seed's {@link SimFaults} happen, until {@link #calmDown}. */
  public void startFaults() {
    if (!calm && faults.equals(SimFaults.NONE)) {
      faults = config.faults();
      clockFaults.start(faults);
    }
  }

  /** Those that may happen now. */
  public SimFaults faults() {
    return faults;
  }

  /** Whether something of that rate happens this time. */
  public boolean strikes(int percent) {
    return percent > 0 && random.chance(percent, 100);
  }

  /** Builds a loop that this simulation drives. */
  public AioContext newLoop(String name) {
    SimPoller poller = new SimPoller(this);
    AioContext context =
        new AioContext(
            new LoopSetup(
                name,
                poller,
                clocks,
                workers,
                disk,
                config.busyPolling() ? new BusyPolling(32_000, 2, 2) : BusyPolling.OFF,
                hooks,
                (failed, source, failure) ->
                    record(new Violation("escaped", failed.name() + ": " + source, failure))));
    loops.add(new Loop(context, poller));
    return context;
  }

  /**
   * Runs after every step of that loop, and throws a {@link Violation} if something does not hold.
   */
  public void afterEveryStep(AioContext context, Runnable check) {
    audited = context;
    audit = check;
  }

  /** A thread outside of all loops that takes the given steps in order, each in one go. */
  public void foreignThread(String name, List<Runnable> steps) {
    foreigners.add(new Foreign(name, new ArrayList<>(steps)));
  }

  /** Makes a simulated descriptor ready for just these events. */
  public void setReadiness(int fd, int events) {
    readiness.put(fd, events);
  }

  /** What {@link #setReadiness} said last. */
  public int readiness(int fd) {
    return readiness.getOrDefault(fd, 0);
  }

  /** Records and throws a violation unless the condition holds. */
  public void require(boolean condition, String invariant, String message) {
    if (!condition) {
      Violation found = new Violation(invariant, message);
      record(found);
      throw found;
    }
  }

  /** What happens from now on does not depend on the seed alone. */
  void disturb(Coroutine coroutine) {
    disturbed = true;
    paused.add(coroutine);
  }

  /** The coroutine stands before no monitor any more. */
  void gotThrough(Coroutine coroutine) {
    if (disturbed) {
      paused.remove(coroutine);
    }
  }

  /**
   * Lets the coroutines on that stand before a monitor of the JDK, before the run is given up: the
   * monitor may have been promised to one of them, and then other runs would wait for it for ever.
   */
  private void letThrough() {
    audit = null;
    for (int i = 0; !paused.isEmpty() && i < MAX_STEPS_OF_DISTURBED_RUN; i++) {
      for (Loop loop : loops) {
        stepLoop(loop);
      }
      Thread.onSpinWait();
    }
  }

  /** Keeps the first violation; it ends the run after the current step. */
  void record(Violation found) {
    if (violation == null) {
      violation = found;
    }
  }

  boolean isOwnThread() {
    return Thread.currentThread() == thread || Thread.currentThread().isVirtual();
  }

  /** Names a step of a workload, so that it counts for determinism and shows in reports. */
  public void note(String kind, String name, long number) {
    hash.add(kind, name, number);
  }

  void noteCompletion(IoRequest request, long result) {
    hash.add("completion", request.op().name(), result);
    for (Loop loop : loops) {
      if (loop.context == stepping) {
        loop.completions++;
      }
    }
  }

  /** The loop whose step is under way: where the caller really runs, whatever it believes. */
  public @Nullable AioContext stepping() {
    return stepping;
  }

  <T> void shuffle(List<T> list) {
    for (int i = list.size() - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      T swapped = list.get(i);
      list.set(i, list.get(j));
      list.set(j, swapped);
    }
  }

  long wakeDelayNanos() {
    return config.lateWakeups() ? random.nextLong(MAX_WAKE_DELAY_NANOS) : 0;
  }

  /**
   * Runs until nothing can happen any more, or the step limit is reached.
   *
   * @return whether everything came to rest
   * @throws Violation the first invariant that did not hold
   */
  public boolean run(long maxSteps) {
    List<Integer> runnable = new ArrayList<>();
    for (long i = 0; i < maxSteps; i++) {
      clockFaults.step();
      collectRunnable(runnable);
      if (runnable.isEmpty()) {
        if (!advanceToNextEvent()) {
          return true;
        }
        continue;
      }
      int actor = runnable.get(policy.pick(runnable));
      clocks.advance(random.nextLong(MAX_STEP_NANOS));
      step(actor);
      checkAfterStep();
    }
    return false;
  }

  /** Switches faults off; what is left has to finish. */
  public void calmDown() {
    calm = true;
    faults = SimFaults.NONE;
    clockFaults.end();
    disk.goOn();
  }

  private void collectRunnable(List<Integer> runnable) {
    runnable.clear();
    for (int i = 0; i < loops.size(); i++) {
      if (canStep(loops.get(i))) {
        runnable.add(i);
      }
    }
    if (workers.hasJobs()) {
      runnable.add(loops.size());
    }
    for (int i = 0; i < foreigners.size(); i++) {
      if (!foreigners.get(i).steps.isEmpty()) {
        runnable.add(loops.size() + 1 + i);
      }
    }
  }

  private boolean canStep(Loop loop) {
    LoopTurn turn = loop.context.turn();
    return turn.phase() != LoopTurn.Phase.POLL
        || turn.pollTimeoutNanos() == 0
        || loop.poller.nextEventNanos() <= nowNanos()
        || loop.deadlineNanos <= nowNanos();
  }

  private void step(int actor) {
    steps++;
    if (actor < loops.size()) {
      stepLoop(loops.get(actor));
    } else if (actor == loops.size()) {
      hash.add("worker", "job", 0);
      workers.runOne();
    } else {
      stepForeign(foreigners.get(actor - loops.size() - 1));
    }
  }

  private void stepLoop(Loop loop) {
    LoopTurn turn = loop.context.turn();
    hash.add("step", loop.context.name(), turn.phase().ordinal());
    if (turn.phase() == LoopTurn.Phase.POLL
        && turn.pollTimeoutNanos() > 0
        && loop.deadlineNanos <= nowNanos()) {
      loop.deadlineReturns++;
    }
    AioContext outer = stepping;
    stepping = loop.context;
    boolean runsSomebody = !runsNobody(loop);
    try {
      loop.context.stepSimulated();
    } finally {
      stepping = outer;
    }
    Runnable check = audit;
    if (check != null && runsSomebody && loop.context == audited) {
      check.run();
    }
    if (turn.phase() == LoopTurn.Phase.POLL) {
      long timeout = turn.pollTimeoutNanos();
      loop.deadlineNanos = timeout == Poller.FOREVER ? Poller.FOREVER : deadline(timeout);
    }
  }

  private long deadline(long timeoutNanos) {
    boolean late = timeoutNanos > 0 && strikes(faults.lateTimerPercent());
    long nanos = late ? timeoutNanos + random.nextLong(LATEST_TIMER_NANOS) : timeoutNanos;
    return nanos > Poller.FOREVER - nowNanos() || nanos < 0 ? Poller.FOREVER : nowNanos() + nanos;
  }

  private void stepForeign(Foreign foreign) {
    hash.add("foreign", foreign.name, foreign.steps.size());
    foreign.steps.removeFirst().run();
  }

  /**
   * Called between two instructions of a loop or coroutine: others take steps that run no
   * coroutine.
   */
  void interleave(AioContext interrupted) {
    if (interleaving || !random.chance(1, 4)) {
      return;
    }
    interleaving = true;
    try {
      int count = 1 + random.nextInt(MAX_INTERLEAVED_STEPS);
      for (int i = 0; i < count; i++) {
        int who = random.nextInt(loops.size() + foreigners.size());
        if (who < loops.size()) {
          Loop loop = loops.get(who);
          if (loop.context != interrupted && loop.context != stepping && runsNobody(loop)) {
            stepLoop(loop);
          }
        } else {
          Foreign foreign = foreigners.get(who - loops.size());
          if (!foreign.steps.isEmpty()) {
            stepForeign(foreign);
          }
        }
      }
    } catch (RuntimeException e) {
      record(e instanceof Violation v ? v : new Violation("escaped", "in between", e));
    } finally {
      interleaving = false;
    }
  }

  private boolean runsNobody(Loop loop) {
    return switch (loop.context.turn().phase()) {
      case COLLECT, ANNOUNCE, RECHECK -> true;
      case POLL, SPIN -> canStep(loop);
      case TASKS, READY, TIMERS -> false;
    };
  }

  private boolean advanceToNextEvent() {
    long next = clockFaults.nextEventNanos();
    for (Loop loop : loops) {
      next = Math.min(next, Math.min(loop.poller.nextEventNanos(), loop.deadlineNanos));
    }
    if (next == Poller.FOREVER) {
      return false;
    }
    clocks.advance(next - nowNanos());
    hash.add("time", "advance", nowNanos());
    return true;
  }

  private void checkAfterStep() {
    if (disturbed) {
      letThrough();
      throw new Disturbance();
    }
    Violation found = violation;
    if (found != null) {
      throw found;
    }
    for (Loop loop : loops) {
      LoopTurn turn = loop.context.turn();
      if (turn.phase() == LoopTurn.Phase.POLL
          && turn.pollTimeoutNanos() != 0
          && turn.hasQueuedTasks()
          && !loop.poller.isWakePending()) {
        require(
            false, "I2", loop.context.name() + " waits with work queued and no wake-up under way");
      }
    }
  }

  /** Checks what must hold once everything has come to rest: nothing lost, nobody spinning. */
  public void checkAtRest() {
    hooks.checkAtRest();
    Violation found = violation;
    if (found != null) {
      throw found;
    }
    for (Loop loop : loops) {
      LoopTurn turn = loop.context.turn();
      long events =
          turn.tasksRun()
              + loop.poller.wakes
              + loop.poller.spuriousReports
              + loop.deadlineReturns
              + loop.completions
              + 8;
      require(
          turn.turns() <= 2 * events,
          "I3",
          loop.context.name() + " turned " + turn.turns() + " times for " + events + " events");
    }
  }

  /** Closes all loops; each fails if something of it is still alive. */
  public void closeLoops() {
    for (Loop loop : loops) {
      loop.context.close();
    }
    workers.close();
  }

  /**
   * The power goes: loops, coroutines, jobs and unflushed data are gone; new loops can be built on
   * what the disk kept.
   */
  public void crash() {
    hash.add("crash", "", steps);
    loops.clear();
    foreigners.clear();
    workers = new SimWorkers(this);
    hooks.forget();
    clocks.forgetListeners();
    disk.crash();
  }
}
