package org.tinamou.testkit.workload;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.tinamou.testkit.crash.ToolCrash;
import org.tinamou.testkit.mutant.Mutant;

/** The command line of the simulator. */
public final class SimMain {
  private static final String USAGE =
      """
      usage: tinamou sim [--workload loops|disk|graph|scenarios|touchstone|nbd|fleecing
                                     |backup|jobs|qcow2-crash|qcow2-crash-more
                                     |qcow2-crash-tools|luks-crash|qcow2-damage]
                         [--seeds N] [--first S] [--twice]
             tinamou sim --workload qcow2-crash --seeds 7200
                         all sequences of one or two operations on an image, 21 times, with power cuts
             tinamou sim --workload qcow2-crash-more --seeds 552
                         the same with more operations and with extended L2 entries, once
             tinamou sim --workload qcow2-crash-tools --seeds %d
                         what tools do, on all kinds of images, encrypted and in two files among them
             tinamou sim --workload luks-crash --seeds 500
                         changes of the key slots of encrypted volumes
             tinamou sim --workload W --seed S        one seed, told in detail
             tinamou sim --mutant NAME [--seeds N]    search for a planted bug
             tinamou sim --list-mutants
      """
          .formatted(ToolCrash.ROUND);

  /** Without those whose every seed takes as long as thousands of others. */
  private final List<Workload.Kind> kinds =
      new ArrayList<>(
          EnumSet.complementOf(
              EnumSet.of(
                  Workload.Kind.QCOW2_CRASH,
                  Workload.Kind.QCOW2_CRASH_MORE,
                  Workload.Kind.QCOW2_CRASH_TOOLS,
                  Workload.Kind.LUKS_CRASH)));

  private long seeds = 10_000;
  private long first = 1;
  private boolean twice;
  private boolean single;
  private String mutant = "";
  private String planted = "";
  private boolean expectViolation;

  private final PrintStream out;

  SimMain(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] args) throws Exception {
    System.exit(new SimMain(System.out).run(args));
  }

  int run(String[] args) throws Exception {
    for (int i = 0; i < args.length; i++) {
      switch (args[i]) {
        case "--workload" -> {
          kinds.clear();
          kinds.add(Workload.Kind.valueOf(args[++i].toUpperCase(Locale.ROOT).replace('-', '_')));
        }
        case "--seeds" -> seeds = Long.parseLong(args[++i]);
        case "--first" -> first = Long.parseLong(args[++i]);
        case "--seed" -> {
          first = Long.parseLong(args[++i]);
          single = true;
        }
        case "--twice" -> twice = true;
        case "--mutant" -> mutant = args[++i];
        case "--expect-violation" -> {
          expectViolation = true;
          planted = " --mutant " + args[++i];
        }
        case "--list-mutants" -> {
          Mutant.ALL.forEach(each -> out.println(each.name() + ": " + each.meaning()));
          return 0;
        }
        default -> {
          System.err.print(USAGE);
          return 2;
        }
      }
    }
    if (!mutant.isEmpty()) {
      return searchMutant();
    }
    return single ? tellSeed() : runSeeds();
  }

  private int searchMutant() throws Exception {
    Mutant.Result result = Mutant.named(mutant).search(first, single ? 1 : seeds);
    out.println(result);
    return result.found() ? 0 : 1;
  }

  private int tellSeed() {
    SeedRun run = SeedRun.of(kinds.getFirst(), first, true);
    run.recentEvents().forEach(out::println);
    out.printf(
        "seed %d of %s: %d steps, hash %016x%n", first, name(run.kind()), run.steps(), run.hash());
    if (run.violation() == null) {
      out.println("no violation");
      return 0;
    }
    run.violation().printStackTrace(out);
    return 1;
  }

  /** Both processors work on seeds; each seed runs in one thread. */
  private int runSeeds() throws InterruptedException {
    Queue<SeedRun> violations = new ConcurrentLinkedQueue<>();
    long started = System.nanoTime();
    long total = 0;
    long steps = 0;
    for (Workload.Kind kind : kinds) {
      AtomicLong next = new AtomicLong(first);
      AtomicLong stepsOfKind = new AtomicLong();
      AtomicLong ran = new AtomicLong();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
        threads.add(
            Thread.ofPlatform().start(() -> runShare(kind, next, stepsOfKind, ran, violations)));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      total += ran.get();
      steps += stepsOfKind.get();
      if (expectViolation && !violations.isEmpty()) {
        break;
      }
    }
    double seconds = (System.nanoTime() - started) / 1e9;
    out.printf(
        "%d seeds, %d steps, %.1f s, %.0f seeds/s, %d violations%n",
        total, steps, seconds, total / seconds, violations.size());
    violations.forEach(
        run -> out.printf("seed %d of %s: %s%n", run.seed(), name(run.kind()), run.violation()));
    SeedRun worst =
        violations.stream().min((a, b) -> Long.compare(a.steps(), b.steps())).orElse(null);
    if (worst == null) {
      return expectViolation ? 1 : 0;
    }
    out.printf(
        "VIOLATION %s%nreplay: ./tinamou sim --workload %s --seed %d%s%n",
        worst.violation(), name(worst.kind()), worst.seed(), planted);
    if (!expectViolation) {
      Objects.requireNonNull(worst.violation()).printStackTrace(out);
    }
    return expectViolation ? 0 : 1;
  }

  private void runShare(
      Workload.Kind kind,
      AtomicLong next,
      AtomicLong steps,
      AtomicLong ran,
      Queue<SeedRun> violations) {
    while (true) {
      long seed = next.getAndIncrement();
      if (seed >= first + seeds || violations.size() >= (expectViolation ? 1 : 10)) {
        return;
      }
      SeedRun run = twice ? SeedRun.twice(kind, seed) : SeedRun.of(kind, seed, false);
      ran.incrementAndGet();
      steps.addAndGet(run.steps());
      if (run.violation() != null) {
        violations.add(run);
      }
    }
  }

  private static String name(Workload.Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
