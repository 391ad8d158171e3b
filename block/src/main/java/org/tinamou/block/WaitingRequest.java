package org.tinamou.block;

import org.jspecify.annotations.Nullable;

/**
 * A user's request that waits at its backend, where it is not in flight.
 *
 * @param what it is, with its range
 * @param coroutine the name of the coroutine that makes it
 * @param error the error after which it waits to be tried again; null if the disk is drained
 */
public record WaitingRequest(String what, String coroutine, @Nullable BlockException error) {
  @Override
  public String toString() {
    return what
        + " of "
        + coroutine
        + ", waits for "
        + (error == null ? "a drained section to end" : "a resume after: " + error.getMessage());
  }
}
