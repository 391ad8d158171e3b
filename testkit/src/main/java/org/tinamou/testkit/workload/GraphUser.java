package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.stats.IoKind;
import org.tinamou.testkit.sim.Simulation;

/** A user of one part of one disk, who knows what it has to contain. */
final class GraphUser {
  /** Not a multiple of the driver's alignment: neighbours share blocks. */
  static final int USER_BYTES = 4000;

  private static final int BLOCK_BYTES = 512;
  private static final int MOST_TRIES = 100;

  /** One request. */
  @FunctionalInterface
  private interface Request {
    boolean make() throws BlockException;
  }

  private final Simulation simulation;
  private final SeededRandom random;
  private final List<AioContext> loops;
  private final GraphDisk disk;
  private final int first;
  private final byte[] expected = new byte[USER_BYTES];
  private final boolean[] unknown = new boolean[USER_BYTES];
  private final MemorySegment buffer;
  private byte value;

  GraphUser(
      Simulation simulation,
      SeededRandom random,
      List<AioContext> loops,
      GraphDisk disk,
      int number,
      Arena arena) {
    this.simulation = simulation;
    this.random = random;
    this.loops = loops;
    this.disk = disk;
    this.first = number * USER_BYTES;
    this.buffer = arena.allocate(USER_BYTES);
  }

  /** What the disk holds before anybody uses it. */
  void expect(byte[] contents) {
    System.arraycopy(contents, first, expected, 0, USER_BYTES);
  }

  void use() {
    for (int i = 3 + random.nextInt(12); i > 0; i--) {
      int offset = edge(random.nextInt(USER_BYTES));
      int length = edge(offset + 1 + random.nextInt(USER_BYTES - offset)) - offset;
      if (length <= 0) {
        continue;
      }
      act(offset, length);
      if (random.chance(1, 6)) {
        Coroutine.moveTo(loops.get(random.nextInt(loops.size())));
      }
    }
  }

  /** Often a place at the edge of a block, or one byte beside it. */
  private int edge(int offset) {
    if (random.nextBoolean()) {
      return offset;
    }
    int block = (first + offset) / BLOCK_BYTES * BLOCK_BYTES - first;
    return Math.clamp(block + random.nextInt(3) - 1, 0, USER_BYTES);
  }

  private void act(int offset, int length) {
    switch (random.nextInt(10)) {
      case 0, 1, 2 -> write(offset, length);
      case 3 -> zero(offset, length);
      case 4 -> request(IoKind.FLUSH, flushing());
      case 5 -> copy();
      case 6 -> discard(offset, length);
      case 7 -> status(offset, length);
      default -> check(offset, length);
    }
  }

  private Request flushing() {
    return () -> {
      disk.backend.flush();
      return true;
    };
  }

  /** Makes the request and keeps account of how it ended. */
  private boolean request(IoKind kind, Request request) {
    try {
      boolean result = request.make();
      disk.told(kind, true);
      return result;
    } catch (BlockException injected) {
      disk.told(kind, false);
      simulation.note("failed", disk.leaf.name(), kind.ordinal());
      return false;
    }
  }

  private int flags() {
    return switch (random.nextInt(6)) {
      case 0 -> RequestFlags.FORCE_UNIT_ACCESS;
      case 1 -> RequestFlags.SERIALISING;
      default -> 0;
    };
  }

  private void write(int offset, int length) {
    byte with = ++value;
    MemorySegment part = buffer.asSlice(0, length).fill(with);
    int flags = flags();
    boolean done =
        request(
            IoKind.WRITE,
            () -> {
              disk.backend.write(first + offset, IoVector.of(part), flags);
              return true;
            });
    changed(offset, length, with, done);
  }

  private void zero(int offset, int length) {
    int flags = flags() | (random.nextBoolean() ? RequestFlags.MAY_UNMAP : 0);
    boolean done =
        request(IoKind.WRITE, () -> disk.backend.writeZeroes(first + offset, length, flags));
    changed(offset, length, (byte) 0, done);
  }

  private void changed(int offset, int length, byte with, boolean done) {
    Arrays.fill(unknown, offset, offset + length, !done);
    if (done) {
      Arrays.fill(expected, offset, offset + length, with);
    }
  }

  private void discard(int offset, int length) {
    request(
        IoKind.UNMAP,
        () -> {
          disk.backend.discard(first + offset, length);
          return true;
        });
    Arrays.fill(unknown, offset, offset + length, true);
    write(offset, length);
  }

  /** Copies whole blocks within the user's part, or writes where that cannot be done. */
  private void copy() {
    int blocks = 1 + random.nextInt(2);
    int length = blocks * BLOCK_BYTES;
    int firstBlock = (first + BLOCK_BYTES - 1) / BLOCK_BYTES;
    int last = (first + USER_BYTES) / BLOCK_BYTES - blocks;
    int from = (firstBlock + random.nextInt(last - firstBlock + 1)) * BLOCK_BYTES - first;
    int to = (firstBlock + random.nextInt(last - firstBlock + 1)) * BLOCK_BYTES - first;
    BlockBackend backend = disk.backend;
    boolean done = false;
    try {
      done = backend.copyRange(first + from, backend, first + to, length, 0, flags());
    } catch (BlockException injected) {
      simulation.note("copy failed", disk.leaf.name(), 0);
    }
    if (done) {
      System.arraycopy(expected, from, expected, to, length);
      System.arraycopy(unknown, from, unknown, to, length);
    } else {
      write(to, length);
    }
  }

  private void status(int offset, int length) {
    try {
      BlockStatus status = disk.backend.status(first + offset, length, random.nextBoolean());
      simulation.require(
          status.lengthBytes() > 0 && status.lengthBytes() <= length, "I10", status.toString());
      if (status.has(BlockStatus.ZERO)) {
        for (int i = offset; i < offset + status.lengthBytes(); i++) {
          simulation.require(unknown[i] || expected[i] == 0, "I10", "data is said to be zero");
        }
      }
    } catch (BlockException injected) {
      simulation.note("status failed", disk.leaf.name(), 0);
    }
  }

  /** Reads all of the user's part, if it can be read by now. */
  void checkAll() {
    for (int tries = 0; tries < MOST_TRIES && !check(0, USER_BYTES); tries++) {
      Coroutine.yieldNow();
    }
  }

  private boolean check(int offset, int length) {
    MemorySegment part = buffer.asSlice(0, length);
    boolean done =
        request(
            IoKind.READ,
            () -> {
              disk.backend.read(first + offset, IoVector.of(part), 0);
              return true;
            });
    byte[] bytes = done ? part.toArray(ValueLayout.JAVA_BYTE) : new byte[0];
    for (int i = 0; i < bytes.length; i++) {
      byte seen = bytes[i];
      if (!unknown[offset + i] && seen != expected[offset + i]) {
        simulation.require(
            false,
            "I10",
            "byte %d is %d, expected %d".formatted(first + offset + i, seen, expected[offset + i]));
      }
    }
    return done;
  }
}
