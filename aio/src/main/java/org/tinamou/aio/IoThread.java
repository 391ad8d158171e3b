package org.tinamou.aio;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.tinamou.base.Check;

/** A platform thread that turns one {@link AioContext} from its start until it is closed. */
public final class IoThread implements AutoCloseable {
  private final Thread thread;
  private final AioContext context;
  private final CompletableFuture<Void> ended;

  private IoThread(Thread thread, AioContext context, CompletableFuture<Void> ended) {
    this.thread = thread;
    this.context = context;
    this.ended = ended;
  }

  /**
   * Starts a thread that builds its loop and turns it.
   *
   * @param contextFactory called on the new thread, which becomes the loop's home
   */
  public static IoThread start(String name, Supplier<AioContext> contextFactory) {
    CompletableFuture<AioContext> built = new CompletableFuture<>();
    CompletableFuture<Void> ended = new CompletableFuture<>();
    Thread thread =
        Thread.ofPlatform()
            .name(name)
            .daemon()
            .start(
                () -> {
                  try {
                    AioContext context = contextFactory.get();
                    built.complete(context);
                    context.runUntilStopped();
                    context.close();
                    ended.complete(null);
                  } catch (Throwable e) {
                    built.completeExceptionally(e);
                    ended.completeExceptionally(e);
                  }
                });
    return new IoThread(thread, built.join(), ended);
  }

  @AnyThread
  public AioContext context() {
    return context;
  }

  /**
   * Stops the loop once nothing is queued, frees it and waits for the thread. Fails, naming them,
   * if coroutines, timers or requests are still alive in the loop. Must not be called from a loop.
   */
  @Override
  public void close() {
    Check.state(AioContext.currentOrNull() == null, "an IoThread cannot be joined from a loop");
    context.requestStop();
    ended.join();
  }

  @Override
  public String toString() {
    return "IoThread " + thread.getName();
  }
}
