package org.tinamou.aio.poller;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.IoRequest;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/**
 * Files through the JDK's channels, without a native call of ours. Descriptors are numbers of a
 * table in here.
 *
 * <p>What channels cannot do is missing: there are no locks, no direct I/O, no holes to be found or
 * made, no copies inside the host; how much space a file takes is not known.
 */
public final class NioFiles implements HostFiles {
  private static final int TYPE_MASK = 0170000;
  private static final int DIRECTORY = 0040000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int BLOCK_DEVICE = 0060000;
  private static final int REGULAR = 0100000;
  private static final int PREFERRED_BLOCK_BYTES = 4096;
  private static final int SECTOR_BYTES = 512;
  private static final long MAX_PIECE_BYTES = 1L << 30;

  private final Map<Integer, NioOpenFile> table = new ConcurrentHashMap<>();
  private final AtomicInteger lastFd = new AtomicInteger();

  @Override
  public int open(Path path, int permissions, OpenFlag... flags) throws ErrnoException {
    Set<OpenOption> options = new HashSet<>();
    options.add(StandardOpenOption.READ);
    FileAttribute<?>[] attributes = {};
    for (OpenFlag flag : flags) {
      switch (flag) {
        case READ_WRITE -> options.add(StandardOpenOption.WRITE);
        case CREATE -> {
          options.add(StandardOpenOption.CREATE);
          attributes = attributes(permissions);
        }
        case EXCLUSIVE -> options.add(StandardOpenOption.CREATE_NEW);
        case TRUNCATE -> options.add(StandardOpenOption.TRUNCATE_EXISTING);
        case DATA_SYNC -> options.add(StandardOpenOption.DSYNC);
        // As a file system answers that does not have it.
        case DIRECT -> throw new ErrnoException(Errno.EINVAL, "open of " + path);
      }
    }
    try {
      FileChannel channel = FileChannel.open(path, options, attributes);
      try {
        int fd = lastFd.incrementAndGet();
        table.put(fd, opened(path, channel));
        return fd;
      } catch (IOException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw new ErrnoException(NioErrors.of(e), "open of " + path);
    }
  }

  private static FileAttribute<?>[] attributes(int permissions) {
    Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
    PosixFilePermission[] all = PosixFilePermission.values();
    for (int index = 0; index < all.length; index++) {
      if ((permissions & 0400 >> index) != 0) {
        set.add(all[index]);
      }
    }
    return new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(set)};
  }

  private static NioOpenFile opened(Path path, FileChannel channel) throws IOException {
    Map<String, Object> read = Files.readAttributes(path, "unix:mode,dev,ino");
    return new NioOpenFile(path, channel, kind(read), number(read, "dev"), number(read, "ino"));
  }

  private static long number(Map<String, Object> attributes, String name) {
    return attributes.get(name) instanceof Number number ? number.longValue() : 0;
  }

  private static Kind kind(Map<String, Object> attributes) {
    return switch ((int) number(attributes, "mode") & TYPE_MASK) {
      case REGULAR -> Kind.REGULAR;
      case BLOCK_DEVICE -> Kind.BLOCK_DEVICE;
      case CHARACTER_DEVICE -> Kind.CHARACTER_DEVICE;
      case DIRECTORY -> Kind.DIRECTORY;
      default -> Kind.OTHER;
    };
  }

  @Override
  public void close(int fd) throws ErrnoException {
    NioOpenFile file = table.remove(fd);
    if (file == null) {
      throw new ErrnoException(Errno.EBADF, "close of descriptor " + fd);
    }
    release(file, "close", fd);
  }

  private static void release(NioOpenFile file, String call, int fd) throws ErrnoException {
    try {
      file.release();
    } catch (IOException e) {
      throw new ErrnoException(NioErrors.of(e), call + " of descriptor " + fd);
    }
  }

  @Override
  public void replace(int fd, int byFd) throws ErrnoException {
    NioOpenFile file = table.get(byFd);
    NioOpenFile before = file == null ? null : table.replace(fd, file);
    if (before == null) {
      throw new ErrnoException(Errno.EBADF, "replacement of descriptor " + fd);
    }
    table.remove(byFd);
    release(before, "replacement", fd);
  }

  @Override
  public Status status(int fd) throws ErrnoException {
    return with(
        fd,
        "fstat",
        file -> {
          boolean device = file.kind == Kind.BLOCK_DEVICE;
          boolean sized = device || file.kind == Kind.REGULAR;
          return new Status(
              file.kind,
              file.device,
              file.inode,
              sized ? file.channel.size() : 0,
              -1,
              PREFERRED_BLOCK_BYTES,
              device ? SECTOR_BYTES : 0);
        });
  }

  @Override
  public Kind kind(Path path) throws ErrnoException {
    try {
      return kind(Files.readAttributes(path, "unix:mode"));
    } catch (NoSuchFileException e) {
      throw new ErrnoException(whyMissing(path), "stat of " + path);
    } catch (IOException e) {
      throw new ErrnoException(NioErrors.of(e), "stat of " + path);
    }
  }

  /** The JDK asks for attributes as if a file in a file were just missing, but does not open so. */
  private static Errno whyMissing(Path path) {
    try {
      FileChannel.open(path).close();
      return Errno.ENOENT; // it was, a moment ago
    } catch (IOException e) {
      return NioErrors.of(e);
    }
  }

  @Override
  public void truncate(int fd, long sizeBytes) throws ErrnoException {
    with(
        fd,
        "ftruncate",
        file -> {
          if (sizeBytes <= file.channel.size()) {
            file.channel.truncate(sizeBytes);
          } else if (!grow(file, sizeBytes)) {
            file.channel.write(ByteBuffer.allocate(1), sizeBytes - 1);
          }
          return true;
        });
  }

  /** A channel only grows by being written to; false if the file's name is another's by now. */
  private static boolean grow(NioOpenFile file, long sizeBytes) throws IOException {
    if (!Files.exists(file.path)) {
      return false;
    }
    try (RandomAccessFile named = new RandomAccessFile(file.path.toFile(), "rw")) {
      NioOpenFile now = opened(file.path, named.getChannel());
      boolean same = now.device == file.device && now.inode == file.inode;
      if (same) {
        named.setLength(sizeBytes);
      }
      return same;
    } catch (FileNotFoundException e) {
      return false;
    }
  }

  /** Everything in front of the end counts as data. */
  @Override
  public long nextData(int fd, long offsetBytes) throws ErrnoException {
    return with(fd, "size", file -> offsetBytes < file.channel.size() ? offsetBytes : -1);
  }

  @Override
  public long nextHole(int fd, long offsetBytes) throws ErrnoException {
    return with(fd, "size", file -> offsetBytes < file.channel.size() ? file.channel.size() : -1);
  }

  @Override
  public long copyRange(
      int fromFd, long fromOffsetBytes, int toFd, long toOffsetBytes, long lengthBytes)
      throws ErrnoException {
    throw new ErrnoException(Errno.EOPNOTSUPP, "copy of descriptor " + fromFd);
  }

  @Override
  public boolean tryLock(int fd, LockType type, long startBytes, long lengthBytes)
      throws ErrnoException {
    throw new ErrnoException(Errno.ENOSYS, "lock of descriptor " + fd);
  }

  @Override
  public boolean isLockedByOther(int fd, LockType type, long startBytes, long lengthBytes)
      throws ErrnoException {
    throw new ErrnoException(Errno.ENOSYS, "test of lock of descriptor " + fd);
  }

  /**
   * Reads at a position until the buffer is full or the file ends.
   *
   * @return how many bytes were read
   */
  public int read(int fd, ByteBuffer buffer, long offsetBytes) throws ErrnoException {
    return with(
        fd,
        "read",
        file -> {
          int done = 0;
          while (buffer.hasRemaining()) {
            int moved = file.channel.read(buffer, offsetBytes + done);
            if (moved <= 0) {
              return done;
            }
            done += moved;
          }
          return done;
        });
  }

  /** What is done with a file. */
  @FunctionalInterface
  private interface Call<T> {
    T on(NioOpenFile file) throws IOException;
  }

  private <T> T with(int fd, String name, Call<T> call) throws ErrnoException {
    NioOpenFile file = table.get(fd);
    if (file == null || !file.retain()) {
      throw new ErrnoException(Errno.EBADF, name + " of descriptor " + fd);
    }
    try {
      return call.on(file);
    } catch (NonWritableChannelException | IllegalArgumentException e) {
      throw new ErrnoException(Errno.EINVAL, name + " of descriptor " + fd);
    } catch (IOException e) {
      throw new ErrnoException(NioErrors.of(e), name + " of descriptor " + fd);
    } finally {
      release(file, name, fd);
    }
  }

  /** Carries a request out; bytes or 0, or a negative errno. */
  @AnyThread
  long perform(IoRequest request) {
    int fd = request.fd();
    try {
      return switch (request.op()) {
        case READ -> with(fd, "read", file -> transfer(file.channel, request, true));
        case WRITE -> with(fd, "write", file -> transfer(file.channel, request, false));
        case FSYNC -> with(fd, "fsync", file -> force(file.channel, true));
        case FDATASYNC -> with(fd, "fdatasync", file -> force(file.channel, false));
        case FALLOCATE, RECEIVE, RECEIVE_ALL -> -Errno.EOPNOTSUPP.number();
      };
    } catch (NonReadableChannelException e) {
      return -Errno.EBADF.number();
    } catch (ErrnoException e) {
      return -e.errno().number();
    }
  }

  private static long force(FileChannel channel, boolean metadata) throws IOException {
    channel.force(metadata);
    return 0;
  }

  /** Moves segment after segment; what has been moved before an error counts. */
  private static long transfer(FileChannel channel, IoRequest request, boolean reading)
      throws IOException {
    long done = 0;
    for (MemorySegment segment : segments(request)) {
      for (long start = 0; start < segment.byteSize(); ) {
        long length = Math.min(MAX_PIECE_BYTES, segment.byteSize() - start);
        ByteBuffer piece = segment.asSlice(start, length).asByteBuffer();
        long position = request.offsetBytes() + done;
        int moved;
        try {
          moved = reading ? channel.read(piece, position) : channel.write(piece, position);
        } catch (IOException e) {
          if (done > 0) {
            return done;
          }
          throw e;
        }
        if (moved <= 0) {
          return done;
        }
        done += moved;
        start += moved;
        if (moved < length) {
          return done;
        }
      }
    }
    return done;
  }

  private static List<MemorySegment> segments(IoRequest request) {
    MemorySegment segment = request.segment();
    return segment != null ? List.of(segment) : Objects.requireNonNull(request.vector()).segments();
  }
}
