package org.tinamou.testkit.mutant;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.tinamou.base.Check;

/**
 * One planted bug: a text in a source file of a room and what takes its place.
 *
 * @param name for the command line
 * @param meaning the bug in words
 * @param room the module whose source is changed
 * @param file the source file below the room's packages, e.g. "aio/LoopTurn.java"
 * @param original a text that occurs exactly once in the file
 * @param replacement the same with the bug
 * @param workload the workload that has to find it
 */
public record Mutant(
    String name,
    String meaning,
    String room,
    String file,
    String original,
    String replacement,
    String workload) {

  /** The planted bugs that are not of jobs. */
  private static final List<Mutant> BELOW_JOBS =
      List.of(
          new Mutant(
              "skip-recheck",
              "the loop does not look for work again between announcing its sleep and sleeping",
              "aio",
              "aio/LoopTurn.java",
              "pollTimeoutNanos = hasWorkBeforeWaiting() ? 0 : context.timers().timeoutNanos();",
              "pollTimeoutNanos = context.timers().timeoutNanos();",
              "loops"),
          new Mutant(
              "free-before-unlink",
              "a task runs, and may be queued anew, before the loop has read what follows it",
              "aio",
              "aio/LoopTurn.java",
              """
                  batch = task.next;
                  task.next = null;
                  tasksRun++;
                  context.runTask(task);
              """,
              """
                  tasksRun++;
                  context.runTask(task);
                  batch = task.next;
                  task.next = null;
              """,
              "loops"),
          new Mutant(
              "move-by-parking",
              "a coroutine changes loops by parking, where a stale wake-up lets it go on at once",
              "aio",
              "aio/Coroutine.java",
              """
                    Thread.yield();
                  } finally {
                    self.movingFrom = null;
                    self.arriveOn(self.isCarriedBy(target) ? target : source);
                  }
                  Check.state(
                      self.runningOn == target,
              """,
              """
                    target.scheduleOnce("move", self::wake);
                    LockSupport.park();
                  } finally {
                    self.movingFrom = null;
                    self.arriveOn(target);
                  }
                  Check.state(
                      true,
              """,
              "loops"),
          new Mutant(
              "lost-when-rescheduled",
              "a bottom half counts as pending until its callback has returned",
              "aio",
              "aio/BottomHalf.java",
              """
                  int before = (int) FLAGS.getAndBitwiseAnd(this, ~(QUEUED | SCHEDULED));
                  if ((before & SCHEDULED) == 0) {
                    return;
                  }
                  context.hooks().onRun(context, this);
                  callback.run();
              """,
              """
                  int before = (int) FLAGS.getVolatile(this);
                  if ((before & SCHEDULED) != 0) {
                    context.hooks().onRun(context, this);
                    callback.run();
                  }
                  FLAGS.getAndBitwiseAnd(this, ~(QUEUED | SCHEDULED));
              """,
              "loops"),
          new Mutant(
              "drop-pending-count",
              "work that a node has queued in its loop does not count as in flight",
              "block",
              "block/NodeWork.java",
              """
                private void begin() {
                  inFlight.begin();
                  queued.incrementAndGet();
                }

                private void endQueued() {
                  queued.decrementAndGet();
                  inFlight.end();
                }
              """,
              """
                private void begin() {}

                private void endQueued() {}
              """,
              "graph"),
          new Mutant(
              "pending-left-behind",
              "a node leaves its loop while a callback or a coroutine of it is queued there",
              "block",
              "block/NodeWork.java",
              """
                private void begin() {
                  inFlight.begin();
                  queued.incrementAndGet();
                }

                private void endQueued() {
                  queued.decrementAndGet();
                  inFlight.end();
                }

                private void checkHome(String name) {
                  Check.state(
                      node.context().isHome(), "%s of %s runs outside of %s", name, node, node.context().name());
                }
              """,
              """
                private void begin() {}

                private void endQueued() {}

                private void checkHome(String name) {}
              """,
              "touchstone"),
          new Mutant(
              "undrain-early",
              "an edge releases its parent for the old child before it is quiesced for the new one",
              "block",
              "block/Edge.java",
              """
                  if (newChild.isQuiesced() && !wasQuiesced) {
                    quiesceParent();
                  } else if (!newChild.isQuiesced() && wasQuiesced) {
                    unquiesceParent();
                  }
              """,
              """
                  if (wasQuiesced) {
                    unquiesceParent();
                  }
              """,
              "graph"),
          new Mutant(
              "count-down-after-wake",
              "whoever drains is woken before the work is counted down",
              "block",
              "block/InFlight.java",
              """
                  if (isLastAfterCountingDown()) {
                    graph.kick();
                  }
              """,
              """
                  if (count() == 1) {
                    graph.kick();
                  }
                  if (Coroutine.currentOrNull() != null) {
                    Coroutine.yieldNow();
                  }
                  isLastAfterCountingDown();
              """,
              "graph"),
          new Mutant(
              "permissions-before-check",
              "permissions are changed before all have agreed",
              "block",
              "block/PermissionUpdate.java",
              """
                  try {
                    for (BlockNode node : parentsFirst()) {
                      check(node);
                    }
              """,
              """
                  planned.forEach((edge, pair) -> edge.permissions(pair.used(), pair.shared()));
                  try {
                    for (BlockNode node : parentsFirst()) {
                      check(node);
                    }
              """,
              "graph"),
          new Mutant(
              "overlap-off-by-one",
              "the last block of a serialising request is not its own",
              "block",
              "block/TrackedRequests.java",
              "Math.max(request.rangeEnd, (end + alignmentBytes - 1) & -alignmentBytes);",
              "Math.max(request.rangeStart + 1, end & -alignmentBytes);",
              "graph"),
          new Mutant(
              "refcount-block-not-flushed",
              "the table of counts points to a new block that may not be on the disk yet",
              "drivers",
              "drivers/format/qcow2/Refcounts.java",
              """
                  blocks.writeBack();
                  file.flush();
              """,
              """
                  blocks.writeBack();
              """,
              "qcow2-crash"),
          new Mutant(
              "lowered-before-tables",
              "a cluster is free before the tables that do not refer to it any more are stable",
              "drivers",
              "drivers/format/qcow2/Qcow2Image.java",
              """
                  if (released > 0) {
                    file.flush();
              """,
              """
                  if (released > 0) {
              """,
              "qcow2-crash"),
          new Mutant(
              "header-in-one-step",
              "a header and the name of what is below are written over the old ones at once",
              "drivers",
              "drivers/format/qcow2/HeaderFields.java",
              "    if (!isChangedBeyondOneSector(now, wanted)",
              "    if (true || !isChangedBeyondOneSector(now, wanted)",
              "qcow2-crash"),
          new Mutant(
              "snapshot-before-counts",
              "the header names a new table of snapshots before the counts are on the disk",
              "drivers",
              "drivers/format/qcow2/Qcow2Image.java",
              """
                  stabiliseCounts();
                  ByteBuffer fields = ByteBuffer.allocate(Integer.BYTES + Long.BYTES);
              """,
              """
                  ByteBuffer fields = ByteBuffer.allocate(Integer.BYTES + Long.BYTES);
              """,
              "qcow2-crash"),
          new Mutant(
              "references-before-copies",
              "compacting changes references before the clusters' copies are on the disk",
              "drivers",
              "drivers/format/qcow2/Relocation.java",
              """
                  copy(places, recoding);
                  file.flush();
              """,
              """
                  copy(places, recoding);
              """,
              "qcow2-crash"),
          new Mutant(
              "tail-off-by-one",
              "what follows the data in a new cluster is copied from one byte too early",
              "drivers",
              "drivers/format/qcow2/WritePath.java",
              "readBehind(dataEnd, behind);",
              "readBehind(dataEnd - 1, behind);",
              "qcow2-crash"),
          new Mutant(
              "table-before-data",
              "second-level tables do not wait for the data they point to",
              "drivers",
              "drivers/format/qcow2/Qcow2Image.java",
              "new TableCache(file, caches.sliceBytes(), caches.slices(), this::beforeSlices);",
              "new TableCache(file, caches.sliceBytes(), caches.slices(), () -> {});",
              "qcow2-crash"),
          new Mutant(
              "readers-not-waited-for",
              "a guest's write does not wait for those who read the old data in their place",
              "drivers",
              "drivers/filter/copybeforewrite/CopyBeforeWriteDriver.java",
              "readers.awaitNone(start, end);",
              "",
              "fleecing"),
          new Mutant(
              "given-up-is-done",
              "a copy that was given up half-way counts as done",
              "drivers",
              "drivers/filter/copybeforewrite/CopyBeforeWriteDriver.java",
              "if (waited.givenUp.get()) { // also if",
              "if (!waited.done) { // also if",
              "fleecing"),
          new Mutant(
              "backup-forgets-rest",
              "a bitmap forgets what a failed backup has not copied",
              "jobs",
              "jobs/BackupJob.java",
              "next.mark(area.offsetBytes(), area.lengthBytes());",
              "",
              "backup"),
          new Mutant(
              "backup-rests-busily",
              "a backup counts as at rest while its workers copy",
              "jobs",
              "jobs/BackupJob.java",
              """
                protected void beforePause() {
                  awaitWorkers();
                }
              """,
              """
                protected void beforePause() {}
              """,
              "backup"),
          new Mutant(
              "stream-stops-early",
              "what only the lowest of the images holds is not copied up from it",
              "drivers",
              "drivers/filter/copyonread/CopyOnReadDriver.java",
              "below == null ? null : below.child()",
              "bottom",
              "scenarios"),
          new Mutant(
              "commit-leaves-writable",
              "the base of a commit can be written to after its end",
              "jobs",
              "jobs/WritableImages.java",
              "this.readOnlyAfter = node.isReadOnly();",
              "",
              "scenarios"));

  /** All planted bugs. */
  public static final List<Mutant> ALL =
      Stream.of(BELOW_JOBS, ToolMutants.list(), JobMutants.list()).flatMap(List::stream).toList();

  /**
   * How a search ended.
   *
   * @param found whether some seed showed a violation
   * @param output what the search printed
   */
  public record Result(boolean found, String output) {
    @Override
    public String toString() {
      return output.strip();
    }
  }

  public static Mutant named(String name) {
    return ALL.stream()
        .filter(mutant -> mutant.name.equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no such mutant: " + name));
  }

  /** Compiles the room with the bug and lets a new JVM search the seeds for a violation. */
  public Result search(long firstSeed, long seeds) throws IOException, InterruptedException {
    Path work = Files.createTempDirectory("tinamou-mutant");
    try {
      Path classes = compile(work);
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.add("-XX:+UseSerialGC");
      command.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
      command.add("-cp");
      command.add(classes + java.io.File.pathSeparator + ClassPath.ofThisJvm());
      command.add("org.tinamou.testkit.workload.SimMain");
      command.addAll(List.of("--workload", workload, "--expect-violation", name));
      command.addAll(List.of("--first", Long.toString(firstSeed)));
      command.addAll(List.of("--seeds", Long.toString(seeds)));
      Path output = work.resolve("output");
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      boolean found = process.waitFor() == 0;
      return new Result(found, name + ": " + Files.readString(output));
    } finally {
      deleteTree(work);
    }
  }

  private Path compile(Path work) throws IOException {
    Path sources = ClassPath.projectRoot().resolve(room).resolve("src/main/java");
    Path mutated = sources.resolve("org/tinamou").resolve(file);
    String text = Files.readString(mutated, StandardCharsets.UTF_8);
    int at = text.indexOf(original);
    Check.state(
        at >= 0 && text.indexOf(original, at + 1) < 0,
        "mutant %s no longer fits %s: its original text must occur exactly once",
        name,
        mutated);
    Path copy = work.resolve("source").resolve(mutated.getFileName());
    Files.createDirectories(copy.getParent());
    Files.writeString(copy, text.replace(original, replacement));
    List<Path> units = new ArrayList<>(List.of(copy));
    try (Stream<Path> walk = Files.walk(sources)) {
      walk.filter(path -> path.toString().endsWith(".java"))
          .filter(path -> !path.equals(mutated))
          .filter(path -> !path.endsWith("module-info.java"))
          .forEach(units::add);
    }
    Path classes = Files.createDirectories(work.resolve("classes"));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    Check.state(compiler != null, "mutants need a JDK, not only a Java runtime");
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      boolean compiled =
          compiler
              .getTask(
                  null,
                  files,
                  null,
                  List.of("-d", classes.toString(), "-cp", ClassPath.ofThisJvm(), "-nowarn"),
                  null,
                  files.getJavaFileObjectsFromPaths(units))
              .call();
      Check.state(compiled, "mutant %s does not compile", name);
    }
    return classes;
  }

  private static void deleteTree(Path root) throws IOException {
    try (Stream<Path> walk = Files.walk(root)) {
      for (Path path : walk.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
