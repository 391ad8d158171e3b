package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.testkit.sim.Simulation;

/**
 * Coroutines on several loops write, read and flush one file under faults; then the power goes, and
 * what was flushed must still be there. Checks I10 and I11 sector by sector.
 */
final class DiskWorkload implements Workload {
  private static final int SECTORS = 48;
  private static final int SECTOR_BYTES = SectorModel.SECTOR_BYTES;
  private static final long LATEST_CANCELLATION_NANOS = 200_000;
  private static final Path IMAGE = Path.of("disk.img");

  private final SectorModel model = new SectorModel(SECTORS);
  private @Nullable Simulation simulationOrNull;
  private SeededRandom random = new SeededRandom(0);
  private boolean flushBroken;
  private @Nullable SimImage image;

  private Simulation simulation() {
    return java.util.Objects.requireNonNull(simulationOrNull);
  }

  @Override
  public void run(Simulation simulation) {
    simulationOrNull = simulation;
    random = simulation.random().fork();
    simulation.startFaults();
    try (Arena arena = Arena.ofShared()) {
      int rounds = 1 + random.nextInt(3);
      for (int round = 0; round < rounds; round++) {
        List<AioContext> loops = new ArrayList<>();
        for (int i = 0; i < simulation.config().loops(); i++) {
          loops.add(simulation.newLoop("loop" + i));
        }
        loops.getFirst().spawn("open", () -> openAndStart(loops, arena));
        boolean crash = random.nextBoolean();
        if (crash) {
          simulation.run(random.nextInt(4000));
          simulation.crash();
          model.crashed();
        } else {
          Workload.runToRest(simulation);
          simulation.closeLoops();
          simulation.require(
              simulation.disk().openDescriptors() == 0, "I22", "descriptors left open");
          return;
        }
      }
    }
  }

  private void openAndStart(List<AioContext> loops, Arena arena) throws Exception {
    image =
        random.nextBoolean()
            ? SimImage.Direct.open(IMAGE)
            : SimImage.ThroughGraph.open(IMAGE, (long) SECTORS * SECTOR_BYTES);
    flushBroken = false;
    verifyAll(arena);
    List<Coroutine> users = new ArrayList<>();
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      users.add(loops.get(random.nextInt(loops.size())).spawn("user" + i, () -> use(loops, arena)));
    }
    for (Coroutine user : users) {
      user.join();
    }
    verifyAll(arena);
    image().close();
  }

  private SimImage image() {
    return java.util.Objects.requireNonNull(image);
  }

  private void use(List<AioContext> loops, Arena arena) throws Exception {
    for (int i = 3 + random.nextInt(12); i > 0; i--) {
      int first = random.nextInt(SECTORS);
      int count = 1 + random.nextInt(Math.min(12, SECTORS - first));
      switch (random.nextInt(9)) {
        case 0, 1, 2, 3 -> mayBeCancelled("write", () -> write(arena, first, count));
        case 4, 5 -> mayBeCancelled("read", () -> read(arena, first, count));
        case 6 -> mayBeCancelled("flush", this::flush);
        case 7 -> openAnother(arena);
        default -> Coroutine.moveTo(loops.get(random.nextInt(loops.size())));
      }
    }
  }

  /**
   * Makes the request here; or in a coroutine of its own, which is told at some moment to give up.
   */
  private void mayBeCancelled(String name, Runnable request) {
    if (!simulation().strikes(simulation().faults().cancelPercent())) {
      request.run();
      return;
    }
    AioContext here = Coroutine.current().context();
    Coroutine child = here.spawn(name + " of " + Coroutine.current().name(), request::run);
    if (random.nextBoolean()) {
      here.sleep(ClockType.REALTIME, random.nextLong(LATEST_CANCELLATION_NANOS));
    }
    child.requestCancel();
    child.join();
  }

  /** Opens one more file, which the limit of descriptors may refuse, and uses it. */
  private void openAnother(Arena arena) throws Exception {
    Path path = Path.of(Coroutine.current().name() + ".img");
    SimImage other;
    try {
      other = SimImage.ThroughGraph.open(path, SECTOR_BYTES);
    } catch (ErrnoException e) {
      requireRefused(e.errno());
      return;
    } catch (BlockException e) {
      requireRefused(e.errno());
      return;
    }
    MemorySegment buffer = arena.allocate(SECTOR_BYTES);
    if (other.write(buffer.fill((byte) 7), 0) == null) {
      while (other.read(buffer.fill((byte) 0), 0) != null) {
        Coroutine.yieldNow();
      }
      byte first = buffer.get(ValueLayout.JAVA_BYTE, 0);
      simulation().require(first == 7, "I10", path + " reads " + first);
    }
    other.close();
  }

  private void requireRefused(@Nullable Errno errno) {
    simulation().require(errno == Errno.EMFILE, "I9", "cannot open another file: " + errno);
  }

  private void write(Arena arena, int first, int count) {
    SectorModel.Write write = model.startWrite(first, count);
    MemorySegment buffer = arena.allocate((long) count * SECTOR_BYTES);
    for (int i = 0; i < count; i++) {
      buffer.asSlice((long) i * SECTOR_BYTES, SECTOR_BYTES).fill(write.value());
    }
    Errno error = image().write(buffer, (long) first * SECTOR_BYTES);
    if (error != null) {
      simulation().note("write failed", error.name(), first);
      model.endWrite(write, false);
      return;
    }
    model.endWrite(write, true);
  }

  private void read(Arena arena, int first, int count) {
    long[] before = model.stamps(first, count);
    MemorySegment buffer = arena.allocate((long) count * SECTOR_BYTES);
    if (image().read(buffer, (long) first * SECTOR_BYTES) != null) {
      return;
    }
    byte[] bytes = buffer.toArray(ValueLayout.JAVA_BYTE);
    String wrong = model.check(first, before, bytes);
    simulation().require(wrong.isEmpty(), "I10", wrong);
  }

  private void flush() {
    SectorModel.Flush flush = model.startFlush();
    Errno error = image().flush();
    if (error == Errno.ECANCELED) {
      return;
    }
    if (error != null) {
      // The host has dropped what it could not write: no later flush can be trusted.
      flushBroken = true;
    } else if (!flushBroken) {
      model.endFlush(flush);
    }
  }

  /** Reads everything, retrying injected errors, and compares it with the model. */
  private void verifyAll(Arena arena) {
    MemorySegment buffer = arena.allocate((long) SECTORS * SECTOR_BYTES);
    long[] before = model.stamps(0, SECTORS);
    for (int tries = 0; image().read(buffer, 0) != null; tries++) {
      simulation().require(tries < 10_000, "I9", "reads fail for ever");
    }
    String wrong = model.check(0, before, buffer.toArray(ValueLayout.JAVA_BYTE));
    simulation().require(wrong.isEmpty(), "I11", wrong);
  }
}
