package org.tinamou.api;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Check;
import org.tinamou.block.BlockException;

/** Where a thread of the program waits for a loop: the one place in this room that blocks. */
final class ForeignThread {
  private ForeignThread() {}

  /**
   * Waits for a coroutine's result. Must not be called from a loop, which would wait for itself.
   */
  static <T extends @Nullable Object> T await(Future<T> future) throws DiskException {
    Check.state(
        AioContext.currentOrNull() == null,
        "a loop must not wait for a disk; use the methods that return a future");
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          // The request goes on and its buffer is in use: there is no leaving early.
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** A coroutine's failure in the form that programs see; what is no I/O error is thrown. */
  private static DiskException failure(@Nullable Throwable thrown) {
    Throwable cause =
        thrown instanceof CompletionException && thrown.getCause() != null
            ? thrown.getCause()
            : thrown;
    return switch (cause) {
      case DiskException e -> e;
      case BlockException e -> DiskException.of(e);
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> throw new IllegalStateException(cause);
    };
  }
}
