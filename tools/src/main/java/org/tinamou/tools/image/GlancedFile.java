package org.tinamou.tools.image;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.Kind;
import org.tinamou.aio.HostFiles.LockType;
import org.tinamou.aio.poller.LinuxHostFiles;
import org.tinamou.aio.poller.LockHolders;
import org.tinamou.aio.poller.NioFiles;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.aio.poller.Pollers;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;
import org.tinamou.block.Permission;
import org.tinamou.drivers.protocol.file.LockBytes;

/**
 * A host file or device that is only looked at, quickly: through the JDK's own channels, without a
 * loop and with no native call unless there is no other way to know something. Blocks; belongs to
 * one thread.
 */
public final class GlancedFile implements AutoCloseable {
  private static final String LOCKS = "/proc/locks";
  private static final int BLOCK_BYTES = 512;

  private final NioFiles files;
  private final int fd;
  private final Path path;
  private final String name;
  private final HostFiles.Status status;
  private final LauncherNotes notes;

  private GlancedFile(
      NioFiles files,
      int fd,
      Path path,
      String name,
      HostFiles.Status status,
      LauncherNotes notes) {
    this.notes = notes;
    this.files = files;
    this.fd = fd;
    this.path = path;
    this.name = name;
    this.status = status;
  }

  /**
   * Opens a file or device for reading.
   *
   * @param name what messages call it
   */
  public static GlancedFile open(Path path, String name) throws BlockException {
    return open(path, name, LauncherNotes.ofProcess());
  }

  static GlancedFile open(Path path, String name, LauncherNotes notes) throws BlockException {
    NioFiles files = new NioFiles();
    try {
      // A pipe would wait for its other end.
      Kind kind = files.kind(path);
      if (kind == Kind.DIRECTORY || kind == Kind.OTHER) {
        throw new BlockException(
            Errno.EINVAL, "'file' driver requires '" + name + "' to be a regular file");
      }
      int fd = files.open(path, 0);
      return new GlancedFile(files, fd, path, name, files.status(fd), notes);
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not open '" + name + "'");
    }
  }

  /** The length, or the capacity of a device. */
  public long sizeBytes() {
    return status.sizeBytes();
  }

  /** The beginning; what a short file lacks counts as zeroes. */
  public byte[] start(int lengthBytes) throws ErrnoException {
    byte[] start = new byte[lengthBytes];
    if (status.sizeBytes() > 0) {
      files.read(fd, ByteBuffer.wrap(start), 0);
    }
    return start;
  }

  /** The space it takes on the host, or -1 if that cannot be known. */
  public long allocatedBytes() throws BlockException {
    long blocks = notes.blocks(status.device(), status.inode());
    if (blocks >= 0) {
      return blocks * BLOCK_BYTES;
    }
    if (!Pollers.mayCallKernel(PollerKind.AUTO)) {
      return -1;
    }
    return byKernel((kernel, kernelFd) -> kernel.status(kernelFd).allocatedBytes());
  }

  /**
   * Refuses a file that another process uses in a way that is not to be shared.
   *
   * @param unshared bits of {@link Permission}
   */
  public void refuseUseByOthers(int unshared) throws BlockException {
    String table = locks();
    for (int bit = 1; bit <= unshared; bit <<= 1) {
      if ((unshared & bit) != 0 && isLocked(table, LockBytes.used(bit))) {
        throw new BlockException(Errno.EAGAIN, LockBytes.usedByOthers(bit))
            .withHint(LockBytes.hint(name, LockHolders.of(status.inode())));
      }
    }
  }

  private boolean isLocked(@Nullable String table, int lockByte) throws BlockException {
    HostLocks.Holder holder =
        table == null
            ? HostLocks.Holder.PERHAPS
            : HostLocks.of(table, status.device(), status.inode(), lockByte);
    return switch (holder) {
      case NOBODY -> false;
      case SOMEBODY -> true;
      case PERHAPS ->
          Pollers.mayCallKernel(PollerKind.AUTO)
              && byKernel(
                  (kernel, kernelFd) ->
                      kernel.isLockedByOther(kernelFd, LockType.EXCLUSIVE, lockByte, 1));
    };
  }

  /** The kernel's table of locks, or null where it is not to be seen. */
  private @Nullable String locks() {
    String noted = notes.locks();
    if (noted != null) {
      return noted;
    }
    try (FileInputStream table = new FileInputStream(LOCKS)) {
      return new String(table.readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return null;
    }
  }

  /** What is asked of the kernel. */
  @FunctionalInterface
  private interface Question<T> {
    T ask(HostFiles kernel, int kernelFd) throws ErrnoException;
  }

  private <T> T byKernel(Question<T> question) throws BlockException {
    HostFiles kernel = new LinuxHostFiles();
    try {
      int kernelFd = kernel.open(path, 0);
      try {
        return question.ask(kernel, kernelFd);
      } finally {
        kernel.close(kernelFd);
      }
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not open '" + name + "'");
    }
  }

  @Override
  public void close() {
    try {
      files.close(fd);
    } catch (ErrnoException e) {
      // It was only read.
      return;
    }
  }
}
