package org.tinamou.block;

import org.tinamou.base.Errno;
import org.tinamou.block.stats.IoKind;

/** What a backend does about a request that failed: {@code rerror} and {@code werror}. */
public enum ErrorPolicy {
  /** The user is told. */
  REPORT("report"),
  /** The user is told that all went well. */
  IGNORE("ignore"),
  /** The request waits until the backend is resumed, and is tried again. */
  STOP("stop"),
  /** As {@link #STOP} if there is no space left, else as {@link #REPORT}. */
  ENOSPC("enospc"),
  /** What is usual: reads report, writes are as {@link #ENOSPC}. */
  AUTO("auto");

  private final String wireName;

  ErrorPolicy(String wireName) {
    this.wireName = wireName;
  }

  public String wireName() {
    return wireName;
  }

  /** The plain policy for one error: {@link #REPORT}, {@link #IGNORE} or {@link #STOP}. */
  ErrorPolicy decide(IoKind kind, Errno errno) {
    return switch (this) {
      case REPORT, IGNORE, STOP -> this;
      case ENOSPC -> errno == Errno.ENOSPC ? STOP : REPORT;
      case AUTO -> kind != IoKind.READ && errno == Errno.ENOSPC ? STOP : REPORT;
    };
  }
}
