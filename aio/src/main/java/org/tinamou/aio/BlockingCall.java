package org.tinamou.aio;

import org.jspecify.annotations.Nullable;

/** Something that blocks its thread, to be run on a worker. */
@FunctionalInterface
public interface BlockingCall<T extends @Nullable Object, E extends Exception> {
  T call() throws E;

  /** One call on its way to a worker and back to the coroutine that waits for it. */
  final class Job<T extends @Nullable Object, E extends Exception> implements Runnable {
    private final BlockingCall<T, E> call;
    private final Coroutine waiter;
    private @Nullable T value;
    private @Nullable Throwable failure;
    private volatile boolean done;

    private Job(BlockingCall<T, E> call, Coroutine waiter) {
      this.call = call;
      this.waiter = waiter;
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // a call throws E, unchecked, or an Error
    static <T extends @Nullable Object, E extends Exception> T run(
        Workers workers, BlockingCall<T, E> call) throws E {
      Job<T, E> job = new Job<>(call, Coroutine.current());
      workers.execute(job);
      while (!job.done) {
        Coroutine.suspend("worker");
      }
      switch (job.failure) {
        case null -> {
          return job.value;
        }
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        default -> throw (E) job.failure;
      }
    }

    @Override
    public void run() {
      try {
        value = call.call();
      } catch (Throwable e) {
        failure = e;
      }
      done = true;
      waiter.wake();
    }
  }
}
