package org.tinamou.api;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/** Why something could not be done with a disk image; the message is meant for a user. */
public final class DiskException extends IOException {
  private static final long serialVersionUID = 1L;

  private final Errno errno;
  private final @Nullable String hint;

  DiskException(Errno errno, String message, @Nullable String hint, @Nullable Throwable cause) {
    super(message, cause);
    this.errno = errno;
    this.hint = hint;
  }

  static DiskException of(BlockException cause) {
    return new DiskException(
        cause.errno(), String.valueOf(cause.getMessage()), cause.hint(), cause);
  }

  /** The kind of error, e.g. ENOSPC for a full host file system, EAGAIN for an image in use. */
  public Errno errno() {
    return errno;
  }

  /** A line of advice, or null. */
  public @Nullable String hint() {
    return hint;
  }
}
