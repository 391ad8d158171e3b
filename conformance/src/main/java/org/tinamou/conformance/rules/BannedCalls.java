package org.tinamou.conformance.rules;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Exchanger;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.Future;
import java.util.concurrent.Phaser;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

/** Calls that would stop a loop, resume a coroutine elsewhere or make a run unrepeatable. */
final class BannedCalls {
  /**
   * Classes that are made to block a thread of their own, by the ends of their names: the thread of
   * a loop, the threads of a worker pool, and those of programs that wait for a loop.
   */
  private static final Set<String> MAY_BLOCK =
      Set.of("IoThread", "Workers", "Worker", "WorkerPool", "ForeignThread");

  /** Waits the JDK's own threads end, and interruption; methods of a type or of its subtypes. */
  private static final Map<Class<?>, Set<String>> WAITS =
      Map.ofEntries(
          Map.entry(Future.class, Set.of("get")),
          Map.entry(CompletableFuture.class, Set.of("join")),
          Map.entry(ForkJoinTask.class, Set.of("join", "invoke")),
          Map.entry(CountDownLatch.class, Set.of("await")),
          Map.entry(CyclicBarrier.class, Set.of("await")),
          Map.entry(Phaser.class, Set.of("awaitAdvance", "arriveAndAwaitAdvance")),
          Map.entry(Exchanger.class, Set.of("exchange")),
          Map.entry(Semaphore.class, Set.of("acquire", "acquireUninterruptibly")),
          Map.entry(BlockingQueue.class, Set.of("take", "put")),
          Map.entry(ExecutorService.class, Set.of("awaitTermination", "invokeAll", "invokeAny")),
          Map.entry(
              Condition.class, Set.of("await", "awaitNanos", "awaitUntil", "awaitUninterruptibly")),
          Map.entry(Lock.class, Set.of("lockInterruptibly")),
          Map.entry(Process.class, Set.of("waitFor")),
          Map.entry(Thread.class, Set.of("join", "sleep", "interrupt")));

  private static final Set<String> TIMED_PARKS =
      Set.of(
          "java.util.concurrent.locks.LockSupport.parkNanos",
          "java.util.concurrent.locks.LockSupport.parkUntil",
          "java.util.concurrent.TimeUnit.sleep",
          "java.lang.Object.wait");

  private static final Set<String> CLOCKS =
      Set.of(
          "java.lang.System.currentTimeMillis",
          "java.lang.System.nanoTime",
          "java.time.Clock.systemUTC",
          "java.time.Clock.systemDefaultZone",
          "java.time.Instant.now",
          "java.time.LocalDate.now",
          "java.time.LocalDateTime.now",
          "java.time.OffsetDateTime.now",
          "java.time.ZonedDateTime.now");

  private static final Set<String> RANDOMNESS =
      Set.of(
          "java.lang.Math.random",
          "java.util.Random.<init>",
          "java.util.SplittableRandom.<init>",
          "java.util.UUID.randomUUID",
          "java.util.concurrent.ThreadLocalRandom.current",
          "java.util.Collections.shuffle");

  private static final Set<String> EXITS =
      Set.of("java.lang.System.exit", "java.lang.Runtime.exit", "java.lang.Runtime.halt");

  private BannedCalls() {}

  /** Nothing waits but a coroutine that parks, and the threads made for blocking work. */
  static ArchRule nothingBlocks(String root, Set<String> shipped) {
    return ArchRuleDefinition.noClasses()
        .that(ArrowRules.inRooms(root, shipped))
        .and(DescribedPredicate.not(madeToBlock()))
        .should()
        .callMethodWhere(waits())
        .orShould()
        .callMethodWhere(ArrowRules.calls(TIMED_PARKS))
        .because("a coroutine waits by parking, and a loop does not wait at all");
  }

  /** A contended monitor resumes a coroutine on a thread of the JDK. */
  static ArchRule noSynchronizedMethods(String root, Set<String> shipped) {
    return ArchRuleDefinition.noMethods()
        .that()
        .areDeclaredInClassesThat(ArrowRules.inRooms(root, shipped))
        .should()
        .haveModifier(JavaModifier.SYNCHRONIZED)
        .because("short sections are guarded by java.util.concurrent locks");
  }

  /** Time is an argument: a loop is given its clocks. */
  static ArchRule timeComesFromClocks(String root, Set<String> shipped) {
    return ArchRuleDefinition.noClasses()
        .that(ArrowRules.inRooms(root, shipped))
        .and()
        .doNotHaveFullyQualifiedName(root + ".base.SystemClocks")
        .should()
        .callMethodWhere(ArrowRules.calls(CLOCKS))
        .because("base.SystemClocks is the only class that asks the host for the time");
  }

  /** Chance is an argument: everything random follows a seed. */
  static ArchRule chanceComesFromSeeds(String root) {
    return ArchRuleDefinition.noClasses()
        .that()
        .resideInAPackage(root + "..")
        .should()
        .accessTargetWhere(ArrowRules.calls(RANDOMNESS))
        .because("base.SeededRandom is the source of randomness");
  }

  /** Only a main class ends the process. */
  static ArchRule onlyMainsExit(String root) {
    return ArchRuleDefinition.noClasses()
        .that()
        .resideInAPackage(root + "..")
        .and()
        .haveSimpleNameNotEndingWith("Main")
        .should()
        .callMethodWhere(ArrowRules.calls(EXITS))
        .because("a library call returns to its caller");
  }

  private static DescribedPredicate<JavaClass> madeToBlock() {
    return DescribedPredicate.describe(
        "made to block: " + MAY_BLOCK,
        javaClass -> {
          String topLevel = javaClass.getName().replaceFirst("\\$.*", "");
          return MAY_BLOCK.stream().anyMatch(topLevel::endsWith);
        });
  }

  private static DescribedPredicate<JavaAccess<?>> waits() {
    return DescribedPredicate.describe(
        "target waits for another thread",
        access -> {
          AccessTarget target = access.getTarget();
          if (isHandedToWorkers(access)) {
            return false;
          }
          return WAITS.entrySet().stream()
              .filter(wait -> wait.getValue().contains(target.getName()))
              .map(Map.Entry::getKey)
              .anyMatch(target.getOwner()::isAssignableTo);
        });
  }

  /** Whether the call stands in a lambda of a method that hands one to a loop's workers. */
  private static boolean isHandedToWorkers(JavaAccess<?> access) {
    return access.isDeclaredInLambda()
        && access.getOrigin().getMethodCallsFromSelf().stream()
            .anyMatch(call -> call.getName().equals("callBlocking"));
  }

  /**
   * All rules of this class for the packages below the root.
   *
   * @param shipped the rooms whose code may run in a coroutine or on a loop
   */
  static Collection<ArchRule> all(String root, Set<String> shipped) {
    return Set.of(
        nothingBlocks(root, shipped),
        noSynchronizedMethods(root, shipped),
        timeComesFromClocks(root, shipped),
        chanceComesFromSeeds(root),
        onlyMainsExit(root));
  }
}
