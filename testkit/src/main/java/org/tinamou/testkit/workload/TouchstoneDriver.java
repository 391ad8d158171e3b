package org.tinamou.testkit.workload;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.testkit.sim.Simulation;

/**
 * A disk at the other end of a connection, as far as loops are concerned: whenever it comes to a
 * loop it has a callback and a coroutine scheduled there, which listen for answers in the loop they
 * run in. Each is scheduled once at a time. A request waits until both listen in the node's loop.
 */
final class TouchstoneDriver implements BlockDriver.Writable, BlockDriver.ContextBound {
  private final Simulation simulation;
  private final SeededRandom random;
  private final BlockNode node;
  private final byte[] bytes;
  private final List<Coroutine> waiting = new ArrayList<>();
  private @Nullable AioContext callbackListensIn;
  private @Nullable AioContext coroutineListensIn;
  private boolean callbackScheduled;
  private boolean coroutineScheduled;

  TouchstoneDriver(Simulation simulation, SeededRandom random, BlockNode node, int sizeBytes) {
    this.simulation = simulation;
    this.random = random;
    this.node = node;
    this.bytes = new byte[sizeBytes];
    listen();
  }

  private void listen() {
    if (!callbackScheduled) {
      callbackScheduled = true;
      node.work()
          .schedule(
              "listen",
              () -> {
                callbackScheduled = false;
                callbackListensIn = AioContext.currentOrNull();
                waiting.forEach(Coroutine::wake);
              });
    }
    if (!coroutineScheduled) {
      coroutineScheduled = true;
      int turns = random.nextInt(4);
      node.work()
          .spawn(
              "listener",
              () -> {
                for (int i = 0; i < turns; i++) {
                  Coroutine.yieldNow();
                }
                coroutineScheduled = false;
                coroutineListensIn = Coroutine.current().context();
                waiting.forEach(Coroutine::wake);
              });
    }
  }

  @Override
  public void detachFromContext() {
    callbackListensIn = null;
    coroutineListensIn = null;
  }

  @Override
  public void attachToContext(AioContext context) {
    listen();
  }

  private void awaitAnswer() {
    Coroutine self = Coroutine.current();
    waiting.add(self);
    while (callbackListensIn != node.context() || coroutineListensIn != node.context()) {
      Coroutine.suspend("an answer");
    }
    waiting.remove(self);
    boolean[] answered = new boolean[1];
    node.work()
        .schedule(
            "answer",
            () -> {
              answered[0] = true;
              self.wake();
            });
    while (!answered[0]) {
      Coroutine.suspend("an answer");
    }
  }

  @Override
  public String formatName() {
    return "touchstone";
  }

  @Override
  public long lengthBytes() {
    return bytes.length;
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE;
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) {
    awaitAnswer();
    MemorySegment to = buffer.segments().getFirst();
    MemorySegment.copy(
        bytes, (int) offsetBytes, to, ValueLayout.JAVA_BYTE, 0, (int) buffer.sizeBytes());
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) {
    awaitAnswer();
    MemorySegment from = buffer.segments().getFirst();
    MemorySegment.copy(
        from, ValueLayout.JAVA_BYTE, 0, bytes, (int) offsetBytes, (int) buffer.sizeBytes());
  }

  @Override
  public int writeFlags() {
    return 0;
  }

  @Override
  public void flush() {
    awaitAnswer();
  }

  @Override
  public void close() {
    simulation.require(node.work().queued() == 0, "I8", node + " closes with work queued");
  }
}
