package org.tinamou.aio.poller;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;

/** What kind of error an exception of the JDK stands for. */
final class NioErrors {
  private NioErrors() {}

  /** The kind that its type or its text tells, which is the C library's; else EIO. */
  static Errno of(IOException failure) {
    // No switch over types: linking one takes longer than what commands with a mistake do.
    if (failure instanceof NoSuchFileException) {
      return Errno.ENOENT;
    }
    if (failure instanceof FileAlreadyExistsException) {
      return Errno.EEXIST;
    }
    if (failure instanceof AccessDeniedException) {
      return Errno.EACCES;
    }
    if (failure instanceof FileSystemLoopException) {
      return Errno.ELOOP;
    }
    if (failure instanceof ClosedChannelException) {
      return Errno.EBADF;
    }
    return ofText(
        failure instanceof FileSystemException other ? other.getReason() : failure.getMessage());
  }

  private static Errno ofText(@Nullable String text) {
    for (Errno errno : Errno.values()) {
      if (errno.message().equals(text)) {
        return errno;
      }
    }
    return Errno.EIO;
  }
}
