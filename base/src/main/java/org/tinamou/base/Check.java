package org.tinamou.base;

import org.jspecify.annotations.Nullable;

/** Always-on checks for a programmer's errors; never used for bad input. */
public final class Check {
  private Check() {}

  /** Fails with {@link IllegalStateException} when a promise of the code itself is broken. */
  public static void state(boolean condition, String message) {
    if (!condition) {
      throw new IllegalStateException(message);
    }
  }

  /** As {@link #state(boolean, String)}, with a message built only on failure. */
  public static void state(boolean condition, String format, @Nullable Object... values) {
    if (!condition) {
      throw new IllegalStateException(format.formatted(values));
    }
  }

  /** Fails with {@link IllegalArgumentException} when a caller passed what the contract forbids. */
  public static void argument(boolean condition, String format, @Nullable Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(format.formatted(values));
    }
  }
}
