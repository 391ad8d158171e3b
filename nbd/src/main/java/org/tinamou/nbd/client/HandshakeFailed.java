package org.tinamou.nbd.client;

import org.jspecify.annotations.Nullable;

/** A server and this client have not come together. */
public final class HandshakeFailed extends Exception {
  private static final long serialVersionUID = 1L;

  private final @Nullable String hint;
  private final boolean lasting;

  HandshakeFailed(String message, @Nullable String hint, boolean lasting) {
    super(message);
    this.hint = hint;
    this.lasting = lasting;
  }

  /** What the server said of it, or null. */
  public @Nullable String hint() {
    return hint;
  }

  /** Whether it makes no sense to try again: the server has answered, and refused. */
  public boolean isLasting() {
    return lasting;
  }
}
