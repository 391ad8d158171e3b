package org.tinamou.qapi;

import org.jspecify.annotations.Nullable;

/** Options a user gave that cannot be accepted; the message is meant for the user. */
public final class OptionException extends Exception {
  private static final long serialVersionUID = 1L;

  private final @Nullable String hint;

  public OptionException(String message) {
    this(message, null);
  }

  /**
   * @param hint further lines of advice, without a line end after the last, or null
   */
  public OptionException(String message, @Nullable String hint) {
    super(message);
    this.hint = hint;
  }

  @Override
  public String getMessage() {
    return java.util.Objects.requireNonNull(super.getMessage());
  }

  public @Nullable String hint() {
    return hint;
  }
}
