package org.tinamou.base;

import java.io.IOException;

/**
 * A failed host operation that keeps its {@link Errno}, so that ENOSPC stays distinguishable from
 * EIO wherever the error is handled. The message is the operation's context only; {@link
 * #getMessage()} appends the errno's text the way command-line tools print it.
 */
public final class ErrnoException extends IOException {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  public ErrnoException(Errno errno, String context) {
    super(context);
    this.errno = errno;
  }

  public ErrnoException(Errno errno, String context, Throwable cause) {
    super(context, cause);
    this.errno = errno;
  }

  public Errno errno() {
    return errno;
  }

  /** What was being done, without the errno's text. */
  public String context() {
    String context = super.getMessage();
    return context == null ? "" : context;
  }

  @Override
  public String getMessage() {
    return context() + ": " + errno.message();
  }
}
