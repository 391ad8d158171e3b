package org.tinamou.tools.img;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.CoQueue;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/** Sends requests of one size, so many at a time. Coroutines of one loop. */
final class Benchmark {
  /**
   * What to send.
   *
   * @param flushInterval after how many requests a flush is sent, or 0
   * @param drain whether a flush waits for the requests before it and the next ones for the flush
   */
  record Plan(
      int count,
      int depth,
      int bufferBytes,
      int stepBytes,
      long offsetBytes,
      boolean write,
      int pattern,
      int flushInterval,
      boolean drain) {}

  private final AioContext context;
  private final OpenImage image;
  private final Plan plan;
  private final long imageBytes;
  private final CoQueue flushed = new CoQueue("flush of a benchmark");
  private long offset;
  private int sent;
  private int underWay;
  private boolean flushing;
  private boolean flushDone;
  private @Nullable ToolException failure;

  Benchmark(AioContext context, OpenImage image, Plan plan) {
    this.context = context;
    this.image = image;
    this.plan = plan;
    this.imageBytes = image.lengthBytes();
    this.offset = plan.offsetBytes();
  }

  /** Returns when all requests have ended; throws if one has failed. */
  void run() throws ToolException {
    int workers = Math.min(plan.depth(), plan.count());
    if (workers > 0 && !image.contains(offset, plan.bufferBytes())) {
      throw failed("request", Errno.EIO);
    }
    try (Arena arena = Arena.ofShared()) {
      List<AioContext.Forked<Boolean>> all = new ArrayList<>();
      for (int index = 0; index < workers; index++) {
        all.add(context.fork("bench " + index, () -> work(arena)));
      }
      for (AioContext.Forked<Boolean> worker : all) {
        worker.coroutine().join();
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private Boolean work(Arena arena) {
    MemorySegment memory = AlignedMemory.allocate(arena, Math.max(plan.bufferBytes(), 1));
    if (plan.write()) {
      memory.fill((byte) plan.pattern());
    }
    IoVector buffer = IoVector.of(memory.asSlice(0, plan.bufferBytes()));
    while (sent < plan.count() && failure == null) {
      if (flushing) {
        flushed.await();
      } else if (isFlushDue()) {
        flush();
      } else {
        send(buffer);
      }
    }
    return true;
  }

  private boolean isFlushDue() {
    return plan.flushInterval() > 0 && sent > 0 && sent % plan.flushInterval() == 0 && !flushDone;
  }

  private void send(IoVector buffer) {
    long place = offset;
    sent++;
    flushDone = false;
    offset += plan.stepBytes();
    if (imageBytes > 0 && offset >= imageBytes) {
      offset %= imageBytes;
    }
    underWay++;
    try {
      if (plan.write()) {
        image.write(buffer, place);
      } else {
        image.read(buffer, place);
      }
    } catch (BlockException e) {
      fail(failed("request", e.errno()));
    } finally {
      ended();
    }
  }

  private void flush() {
    flushDone = true;
    flushing = plan.drain();
    try {
      while (plan.drain() && underWay > 0) {
        flushed.await();
      }
      image.flush();
    } catch (BlockException e) {
      fail(failed("flush request", e.errno()));
    } finally {
      flushing = false;
      flushed.wakeAll();
    }
  }

  private void ended() {
    underWay--;
    if (underWay == 0 || failure != null) {
      flushed.wakeAll();
    }
  }

  private void fail(ToolException reason) {
    if (failure == null) {
      failure = reason;
    }
  }

  private static ToolException failed(String what, Errno errno) {
    return new ToolException("Failed " + what + ": " + errno.message());
  }
}
