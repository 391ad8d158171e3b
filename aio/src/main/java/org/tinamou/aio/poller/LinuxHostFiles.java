package org.tinamou.aio.poller;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HostFiles;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.BlockDevices;
import org.tinamou.host.Descriptors;
import org.tinamou.host.FileLocks;
import org.tinamou.host.FileStatus;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.LinuxMemory;
import org.tinamou.host.OpenFlags;

/** The file calls of the Linux kernel. */
public final class LinuxHostFiles implements HostFiles {
  private static final int ACCESS_MODE = 3;

  @Override
  public int open(Path path, int permissions, OpenFlag... flags) throws ErrnoException {
    return (int) checked(LinuxFiles.open(path.toString(), bits(flags), permissions), "open", path);
  }

  private static int bits(OpenFlag... flags) {
    int bits = 0;
    for (OpenFlag flag : flags) {
      bits |=
          switch (flag) {
            case READ_WRITE -> OpenFlags.READ_WRITE;
            case CREATE -> OpenFlags.CREATE;
            case EXCLUSIVE -> OpenFlags.EXCLUSIVE;
            case TRUNCATE -> OpenFlags.TRUNCATE;
            case DIRECT -> OpenFlags.DIRECT;
            case DATA_SYNC -> OpenFlags.DATA_SYNC;
          };
    }
    return bits;
  }

  @Override
  public int duplicate(int fd, OpenFlag... flags) throws ErrnoException {
    int wanted = bits(flags);
    int present = Descriptors.openFlags(fd);
    if ((present & ACCESS_MODE) != (wanted & ACCESS_MODE)) {
      throw new ErrnoException(Errno.EACCES, "dup of descriptor " + fd);
    }
    int copy = Descriptors.duplicate(fd);
    try {
      Descriptors.setOpenFlags(copy, (present & ~OpenFlags.DIRECT) | (wanted & OpenFlags.DIRECT));
      return copy;
    } catch (ErrnoException e) {
      close(copy);
      throw e;
    }
  }

  @Override
  public int duplicateInherited(int fd) throws ErrnoException {
    if (!Descriptors.isInherited(fd)) {
      throw new ErrnoException(Errno.EBADF, "dup of descriptor " + fd);
    }
    return Descriptors.duplicate(fd);
  }

  @Override
  public void close(int fd) throws ErrnoException {
    checked(LinuxFiles.close(fd), "close", fd);
  }

  @Override
  public void replace(int fd, int byFd) throws ErrnoException {
    checked(LinuxFiles.replace(fd, byFd), "dup3", fd);
    close(byFd);
  }

  @Override
  public Status status(int fd) throws ErrnoException {
    FileStatus status = LinuxFiles.status(fd);
    Kind kind = kind(status);
    boolean device = kind == Kind.BLOCK_DEVICE;
    return new Status(
        kind,
        status.device(),
        status.inode(),
        device ? BlockDevices.sizeBytes(fd) : status.sizeBytes(),
        status.allocatedBytes(),
        status.preferredBlockBytes(),
        device ? BlockDevices.logicalBlockBytes(fd) : 0);
  }

  @Override
  public Kind kind(Path path) throws ErrnoException {
    return kind(LinuxFiles.status(path.toString()));
  }

  private static Kind kind(FileStatus status) {
    return switch (status.kind()) {
      case REGULAR -> Kind.REGULAR;
      case BLOCK_DEVICE -> Kind.BLOCK_DEVICE;
      case CHARACTER_DEVICE -> Kind.CHARACTER_DEVICE;
      case DIRECTORY -> Kind.DIRECTORY;
      case FIFO, SOCKET, OTHER -> Kind.OTHER;
    };
  }

  @Override
  public void truncate(int fd, long sizeBytes) throws ErrnoException {
    checked(LinuxFiles.ftruncate(fd, sizeBytes), "ftruncate", fd);
  }

  @Override
  public long nextData(int fd, long offsetBytes) throws ErrnoException {
    return found(LinuxFiles.seekData(fd, offsetBytes), "lseek(SEEK_DATA)", fd);
  }

  @Override
  public long nextHole(int fd, long offsetBytes) throws ErrnoException {
    return found(LinuxFiles.seekHole(fd, offsetBytes), "lseek(SEEK_HOLE)", fd);
  }

  private static long found(long result, String call, int fd) throws ErrnoException {
    return result == -Errno.ENXIO.number() ? -1 : checked(result, call, fd);
  }

  @Override
  public long copyRange(
      int fromFd, long fromOffsetBytes, int toFd, long toOffsetBytes, long lengthBytes)
      throws ErrnoException {
    long result =
        LinuxFiles.copyFileRange(fromFd, fromOffsetBytes, toFd, toOffsetBytes, lengthBytes);
    return checked(result, "copy_file_range", fromFd);
  }

  @Override
  public @Nullable MemorySegment map(int fd, long sizeBytes, Arena arena) {
    try {
      return LinuxMemory.mapForReading(arena, fd, sizeBytes);
    } catch (ErrnoException e) {
      return null; // a file system that has no mappings, or too little address space
    }
  }

  @Override
  public boolean tryLock(int fd, LockType type, long startBytes, long lengthBytes)
      throws ErrnoException {
    int result = FileLocks.set(fd, lockType(type), startBytes, lengthBytes);
    if (result == -Errno.EAGAIN.number()) {
      return false;
    }
    checked(result, "lock", fd);
    return true;
  }

  @Override
  public List<String> lockHolders(int fd) throws ErrnoException {
    return LockHolders.of(LinuxFiles.status(fd).inode());
  }

  @Override
  public boolean isLockedByOther(int fd, LockType type, long startBytes, long lengthBytes)
      throws ErrnoException {
    int result = FileLocks.test(fd, lockType(type), startBytes, lengthBytes);
    return checked(result, "test of lock", fd) == 1;
  }

  private static FileLocks.Type lockType(LockType type) {
    return switch (type) {
      case SHARED -> FileLocks.Type.SHARED;
      case EXCLUSIVE -> FileLocks.Type.EXCLUSIVE;
      case UNLOCK -> FileLocks.Type.UNLOCK;
    };
  }

  private static long checked(long result, String call, int fd) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(Errno.ofResult(result), call + " of descriptor " + fd);
    }
    return result;
  }

  private static long checked(long result, String call, Path path) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(Errno.ofResult(result), call + " of " + path);
    }
    return result;
  }
}
