package org.tinamou.nbd.client;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;

/** A request that waits for its reply. Whoever reads replies fills it in. */
final class Pending {
  final int command;
  final long cookie;
  final long offsetBytes;
  final long lengthBytes;

  /** Where a read's data goes. */
  final IoVector buffer;

  final Coroutine coroutine = Coroutine.current();

  /** What a block status has told, context by context; the first extent of each only. */
  final int contextId;

  long extentBytes;
  long extentFlags;

  /** Bytes of a read that have come. */
  long filledBytes;

  @Nullable Errno error;
  @Nullable String message;

  /** Under the session's lock. */
  boolean waiting;

  volatile boolean done;

  Pending(
      int command,
      long cookie,
      long offsetBytes,
      long lengthBytes,
      IoVector buffer,
      int contextId) {
    this.command = command;
    this.cookie = cookie;
    this.offsetBytes = offsetBytes;
    this.lengthBytes = lengthBytes;
    this.buffer = buffer;
    this.contextId = contextId;
  }

  void fail(Errno errno, String text) {
    if (error == null) {
      error = errno;
      message = text;
    }
  }
}
