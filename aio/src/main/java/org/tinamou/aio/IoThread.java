package org.tinamou.aio;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;

/** A platform thread that turns one {@link AioContext} from its start until it is closed. */
public final class IoThread implements AutoCloseable {
  /** How often a loop is given the time to run what was queued while it was being closed. */
  private static final int MAX_CLOSE_ATTEMPTS = 100;

  private final Thread thread;
  private final AioContext context;
  private final ConcurrentLinkedQueue<CompletableFuture<Void>> closings;
  private final CompletableFuture<Void> ended;
  private final long hostId;

  private IoThread(
      Thread thread,
      long hostId,
      AioContext context,
      ConcurrentLinkedQueue<CompletableFuture<Void>> closings,
      CompletableFuture<Void> ended) {
    this.thread = thread;
    this.hostId = hostId;
    this.context = context;
    this.closings = closings;
    this.ended = ended;
  }

  /**
   * Starts a thread that builds its loop and turns it.
   *
   * @param contextFactory called on the new thread, which becomes the loop's home
   */
  public static IoThread start(String name, Supplier<AioContext> contextFactory) {
    return start(name, contextFactory, () -> -1);
  }

  /**
   * The same.
   *
   * @param hostIds called on the new thread: how the host knows it
   */
  public static IoThread start(
      String name, Supplier<AioContext> contextFactory, LongSupplier hostIds) {
    AtomicLong hostId = new AtomicLong();
    CompletableFuture<AioContext> built = new CompletableFuture<>();
    CompletableFuture<Void> ended = new CompletableFuture<>();
    ConcurrentLinkedQueue<CompletableFuture<Void>> closings = new ConcurrentLinkedQueue<>();
    Thread thread =
        Thread.ofPlatform()
            .name(name)
            .daemon()
            .start(
                () -> {
                  try {
                    AioContext context = contextFactory.get();
                    hostId.set(hostIds.getAsLong());
                    built.complete(context);
                    turnUntilClosed(context, closings);
                    ended.complete(null);
                  } catch (Throwable e) {
                    built.completeExceptionally(e);
                    ended.completeExceptionally(e);
                  }
                });
    AioContext context = built.join();
    return new IoThread(thread, hostId.get(), context, closings, ended);
  }

  private static void turnUntilClosed(
      AioContext context, ConcurrentLinkedQueue<CompletableFuture<Void>> closings) {
    while (!context.isClosed()) {
      context.runUntilStopped();
      // Whoever asks after this line stops the loop once more.
      context.clearStop();
      List<CompletableFuture<Void>> asking = new ArrayList<>();
      for (CompletableFuture<Void> next; (next = closings.poll()) != null; ) {
        asking.add(next);
      }
      if (asking.isEmpty()) {
        continue;
      }
      IllegalStateException refusal = close(context);
      for (CompletableFuture<Void> each : asking) {
        if (refusal == null) {
          each.complete(null);
        } else {
          each.completeExceptionally(refusal);
        }
      }
    }
  }

  /** Closes the loop, running what is queued meanwhile, or says what is still alive. */
  private static @Nullable IllegalStateException close(AioContext context) {
    for (int attempt = 1; ; attempt++) {
      try {
        context.close();
        return null;
      } catch (IllegalStateException refusal) {
        if (!context.hasOnlyQueuedTasks() || attempt == MAX_CLOSE_ATTEMPTS) {
          return refusal;
        }
      }
      context.requestStop();
      context.runUntilStopped();
      context.clearStop();
    }
  }

  @AnyThread
  public AioContext context() {
    return context;
  }

  /** The number by which the host knows the thread; -1 where it does not tell. */
  @AnyThread
  public long hostId() {
    return hostId;
  }

  /**
   * Stops the loop once nothing is queued, frees it and waits for the thread. Must not be called
   * from a loop.
   *
   * @throws IllegalStateException naming them, if coroutines, timers, watches or requests are still
   *     alive in the loop; it goes on then, and can be closed later
   */
  @Override
  public void close() {
    Check.state(AioContext.currentOrNull() == null, "an IoThread cannot be joined from a loop");
    CompletableFuture<Void> closing = new CompletableFuture<>();
    closings.add(closing);
    context.requestStop();
    try {
      CompletableFuture.anyOf(closing, ended).join();
      ended.join();
    } catch (CompletionException e) {
      Throwable cause = e.getCause();
      throw new IllegalStateException(this + ": " + (cause == null ? e : cause).getMessage(), e);
    }
  }

  @Override
  public String toString() {
    return "IoThread " + thread.getName();
  }
}
