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
    return switch (failure) {
      case NoSuchFileException _ -> Errno.ENOENT;
      case FileAlreadyExistsException _ -> Errno.EEXIST;
      case AccessDeniedException _ -> Errno.EACCES;
      case FileSystemLoopException _ -> Errno.ELOOP;
      case ClosedChannelException _ -> Errno.EBADF;
      case FileSystemException other -> ofText(other.getReason());
      default -> ofText(failure.getMessage());
    };
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
