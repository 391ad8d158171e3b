package org.tinamou.drivers.protocol.file;

import org.tinamou.aio.AioContext;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.ErrnoException;

/** Finds data and holes of a regular file, as long as the host can tell them apart. */
final class FileExtents {
  private final AioContext context;
  private final HostFiles files;
  private final int fd;
  private volatile boolean canFindHoles = true;

  FileExtents(AioContext context, int fd) {
    this.context = context;
    this.files = context.hostFiles();
    this.fd = fd;
  }

  /** As {@link FileDriver#extentAt}. */
  @InCoroutine
  FileExtent at(long offsetBytes, long lengthBytes) {
    if (!canFindHoles) {
      return new FileExtent(lengthBytes, true);
    }
    FileExtent found;
    try {
      found = context.callBlocking(() -> seek(offsetBytes));
    } catch (ErrnoException e) {
      canFindHoles = false;
      return new FileExtent(lengthBytes, true);
    }
    return new FileExtent(Math.min(lengthBytes, found.lengthBytes()), found.data());
  }

  private FileExtent seek(long offsetBytes) throws ErrnoException {
    long data = files.nextData(fd, offsetBytes);
    if (data < 0) {
      return new FileExtent(Long.MAX_VALUE - offsetBytes, false);
    }
    if (data > offsetBytes) {
      return new FileExtent(data - offsetBytes, false);
    }
    long hole = files.nextHole(fd, offsetBytes);
    // The file may have been cut meanwhile by somebody else.
    return hole <= offsetBytes
        ? new FileExtent(Long.MAX_VALUE - offsetBytes, false)
        : new FileExtent(hole - offsetBytes, true);
  }
}
