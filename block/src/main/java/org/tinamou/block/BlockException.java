package org.tinamou.block;

import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.qapi.ErrorClass;

/**
 * Why a block operation failed: the one error type at the boundary of the block layer. The message
 * is what a tool prints after its name; {@link #errno()} is what a guest or an NBD client is told.
 */
public final class BlockException extends Exception {
  private static final long serialVersionUID = 1L;

  private final Errno errno;
  private final ErrorClass errorClass;
  private final @Nullable String hint;

  private BlockException(
      Errno errno,
      ErrorClass errorClass,
      String message,
      @Nullable String hint,
      @Nullable Throwable cause) {
    super(message, cause);
    this.errno = errno;
    this.errorClass = errorClass;
    this.hint = hint;
  }

  /** An error whose message says everything. */
  public BlockException(Errno errno, String message) {
    this(errno, ErrorClass.GENERIC_ERROR, message, null, null);
  }

  /** An error of another QMP class than GenericError. */
  public BlockException(ErrorClass errorClass, String message) {
    this(Errno.EINVAL, errorClass, message, null, null);
  }

  /** A host error: the message is {@code context} followed by the errno's text. */
  public static BlockException of(Errno errno, String context) {
    return new BlockException(
        errno, ErrorClass.GENERIC_ERROR, context + ": " + errno.message(), null, null);
  }

  /** A host error in this layer's form. */
  public static BlockException of(ErrnoException cause) {
    return new BlockException(
        cause.errno(), ErrorClass.GENERIC_ERROR, String.valueOf(cause.getMessage()), null, cause);
  }

  /** The same error, told from one level further up: {@code prefix} comes before its message. */
  public BlockException prefixed(String prefix) {
    return new BlockException(errno, errorClass, prefix + getMessage(), hint, this);
  }

  /** The same error with advice for whoever reads it, which tools print on a line of its own. */
  public BlockException withHint(String advice) {
    return new BlockException(errno, errorClass, String.valueOf(getMessage()), advice, this);
  }

  public Errno errno() {
    return errno;
  }

  public ErrorClass errorClass() {
    return errorClass;
  }

  /** Advice, or null. */
  public @Nullable String hint() {
    return hint;
  }
}
