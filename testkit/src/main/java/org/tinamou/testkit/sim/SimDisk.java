package org.tinamou.testkit.sim;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.IoRequest;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.SeededRandom;

/**
 * Files with a volatile cache, and the faults of a seed: errors, short transfers, latency with a
 * heavy tail, times without any progress, failed flushes that lose data, a limit of descriptors,
 * and power cuts that keep any subset of what was not flushed.
 */
public final class SimDisk implements HostFiles {
  private static final int FALLOC_PUNCH_HOLE = 2;
  private static final int FALLOC_ZERO_RANGE = 16;
  private static final int FALLOC_KEEP_SIZE = 1;
  private static final long USUAL_LATENCY_NANOS = 100_000;
  private static final long SLOW_LATENCY_NANOS = 1_000_000_000L;
  private static final long LONGEST_HANG_NANOS = 20_000_000_000L;
  private static final int MEAN_REQUESTS_BETWEEN_HANGS = 30;

  /** One request under way. */
  record Operation(long latencyNanos, LongSupplier work, Runnable onCancel) {
    Operation(long latencyNanos, LongSupplier work) {
      this(latencyNanos, work, () -> {});
    }

    long finish() {
      return work.getAsLong();
    }

    /** The operation that takes its place when it is given up before it touched anything. */
    Operation cancelled() {
      onCancel.run();
      return failing(Errno.ECANCELED);
    }
  }

  private record Lock(int fd, LockType type, long start, long end) {
    boolean conflicts(LockType wanted, long from, long to) {
      return start < to
          && from < end
          && (type == LockType.EXCLUSIVE || wanted == LockType.EXCLUSIVE);
    }
  }

  private record ActiveWrite(SimFile file, long offset, byte[] bytes) {}

  private static final int PLACE_BYTES = 4096;

  private final Simulation simulation;
  private final SeededRandom random;
  private final boolean cacheHolds;
  private final Map<String, SimFile> files = new LinkedHashMap<>();
  private final TreeMap<Integer, SimFile> open = new TreeMap<>();
  private final List<Lock> locks = new ArrayList<>();
  private final List<ActiveWrite> activeWrites = new ArrayList<>();
  private int nextFd = 3;
  private int hangs;
  private long hangsUntilNanos;

  SimDisk(Simulation simulation) {
    this.simulation = simulation;
    this.random = simulation.random().fork();
    this.cacheHolds = (simulation.seed() & 7) == 7;
  }

  Operation start(IoRequest request) {
    SimFile file = open.get(request.fd());
    if (file == null) {
      return new Operation(0, () -> -Errno.EBADF.number());
    }
    hangAtTimes();
    SimConfig config = simulation.config();
    return switch (request.op()) {
      case READ ->
          fails(config.readErrorPermille())
              ? failing(Errno.EIO)
              : new Operation(latency(), () -> read(file, request));
      case WRITE ->
          fails(config.writeErrorPermille())
              ? failing(random.nextBoolean() ? Errno.EIO : Errno.ENOSPC)
              : startWrite(file, request);
      case FSYNC, FDATASYNC -> {
        int mark = file.flushMark();
        boolean failed = fails(config.flushErrorPermille());
        yield new Operation(
            latency(),
            () -> {
              file.flushed(mark, failed);
              return failed ? -Errno.EIO.number() : 0;
            });
      }
      case RECEIVE, RECEIVE_ALL -> new Operation(0, () -> -Errno.ENOTSOCK.number());
      case FALLOCATE -> new Operation(latency(), () -> allocate(file, request));
    };
  }

  /**
   * In some simulations every second place of a file is in the host's cache; no read of it fails.
   */
  long readAtHand(int fd, MemorySegment buffer, long offsetBytes) {
    SimFile file = open.get(fd);
    boolean cached = cacheHolds && (offsetBytes / PLACE_BYTES & 1) == 0;
    boolean mayFail = simulation.config().readErrorPermille() > 0;
    if (file == null || !cached || mayFail || hangsUntilNanos > simulation.nowNanos()) {
      return -Errno.EAGAIN.number();
    }
    byte[] bytes = file.read(offsetBytes, Math.toIntExact(buffer.byteSize()));
    MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return bytes.length;
  }

  private void hangAtTimes() {
    if (hangs < simulation.faults().diskHangs() && random.chance(1, MEAN_REQUESTS_BETWEEN_HANGS)) {
      hangs++;
      hangsUntilNanos = simulation.nowNanos() + random.nextLong(LONGEST_HANG_NANOS);
      simulation.note("disk", "hangs", hangsUntilNanos);
    }
  }

  /** Until when no request completes. */
  long hangsUntilNanos() {
    return hangsUntilNanos;
  }

  /** Whatever hung goes on. */
  void goOn() {
    hangsUntilNanos = 0;
  }

  private static Operation failing(Errno errno) {
    return new Operation(0, () -> -errno.number());
  }

  private boolean fails(int permille) {
    return !simulation.isCalm() && permille > 0 && random.chance(permille, 1000);
  }

  private long latency() {
    int slowPercent = simulation.isCalm() ? 0 : simulation.config().slowPercent();
    if (slowPercent > 0 && random.chance(slowPercent, 100)) {
      return random.nextLong(SLOW_LATENCY_NANOS);
    }
    return random.nextLong(USUAL_LATENCY_NANOS);
  }

  private int transferLength(IoRequest request) {
    int length = Math.toIntExact(request.lengthBytes());
    int percent = simulation.isCalm() ? 0 : simulation.config().shortTransferPercent();
    if (length > 1 && percent > 0 && random.chance(percent, 100)) {
      return 1 + random.nextInt(length - 1);
    }
    return length;
  }

  private long read(SimFile file, IoRequest request) {
    byte[] bytes = file.read(request.offsetBytes(), transferLength(request));
    int copied = 0;
    for (MemorySegment segment : buffers(request)) {
      int length = (int) Math.min(segment.byteSize(), bytes.length - copied);
      MemorySegment.copy(bytes, copied, segment, ValueLayout.JAVA_BYTE, 0, length);
      copied += length;
    }
    return copied;
  }

  private Operation startWrite(SimFile file, IoRequest request) {
    byte[] all = new byte[Math.toIntExact(request.lengthBytes())];
    int copied = 0;
    for (MemorySegment segment : buffers(request)) {
      int length = (int) segment.byteSize();
      MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, all, copied, length);
      copied += length;
    }
    byte[] bytes = Arrays.copyOf(all, transferLength(request));
    ActiveWrite active = new ActiveWrite(file, request.offsetBytes(), bytes);
    activeWrites.add(active);
    return new Operation(
        latency(),
        () -> {
          activeWrites.remove(active);
          file.write(request.offsetBytes(), bytes);
          return bytes.length;
        },
        () -> activeWrites.remove(active));
  }

  private static List<MemorySegment> buffers(IoRequest request) {
    MemorySegment single = request.segment();
    return single != null
        ? List.of(single)
        : java.util.Objects.requireNonNull(request.vector()).segments();
  }

  private static long allocate(SimFile file, IoRequest request) {
    int mode = request.mode();
    long end = request.offsetBytes() + request.lengthBytes();
    if ((mode & FALLOC_KEEP_SIZE) == 0 && end > file.size()) {
      file.resize(end);
    }
    if ((mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE)) != 0) {
      file.punch(request.offsetBytes(), request.lengthBytes());
    }
    return 0;
  }

  void crash() {
    for (ActiveWrite write : activeWrites) {
      if (random.nextBoolean()) {
        write.file.abandon(write.offset, write.bytes);
      }
    }
    activeWrites.clear();
    files.values().forEach(file -> file.crash(random));
    open.clear();
    locks.clear();
  }

  @Override
  public int open(Path path, int permissions, OpenFlag... flags) throws ErrnoException {
    int limit = simulation.faults().descriptorLimit();
    if (limit > 0 && open.size() >= limit) {
      simulation.note("disk", "no descriptor left", open.size());
      throw new ErrnoException(Errno.EMFILE, path.toString());
    }
    List<OpenFlag> given = List.of(flags);
    SimFile file = files.get(path.toString());
    if (file == null) {
      if (!given.contains(OpenFlag.CREATE)) {
        throw new ErrnoException(Errno.ENOENT, path.toString());
      }
      file = new SimFile();
      files.put(path.toString(), file);
    } else if (given.contains(OpenFlag.EXCLUSIVE)) {
      throw new ErrnoException(Errno.EEXIST, path.toString());
    }
    if (given.contains(OpenFlag.TRUNCATE)) {
      file.resize(0);
    }
    int fd = nextFd++;
    open.put(fd, file);
    return fd;
  }

  @Override
  public void close(int fd) throws ErrnoException {
    file(fd);
    open.remove(fd);
    locks.removeIf(lock -> lock.fd == fd);
  }

  @Override
  public void replace(int fd, int byFd) throws ErrnoException {
    file(fd);
    open.put(fd, file(byFd));
    locks.removeIf(lock -> lock.fd == fd);
    for (Lock lock : List.copyOf(locks)) {
      if (lock.fd == byFd) {
        locks.add(new Lock(fd, lock.type, lock.start, lock.end));
      }
    }
    close(byFd);
  }

  private SimFile file(int fd) throws ErrnoException {
    SimFile file = open.get(fd);
    if (file == null) {
      throw new ErrnoException(Errno.EBADF, "descriptor " + fd);
    }
    return file;
  }

  /** How many descriptors are open. */
  public int openDescriptors() {
    return open.size();
  }

  @Override
  public Status status(int fd) throws ErrnoException {
    SimFile file = file(fd);
    long inode = new ArrayList<>(files.values()).indexOf(file);
    return new Status(
        Kind.REGULAR, 1, inode, file.size(), file.allocatedBytes(), SimFile.PAGE_BYTES, 0);
  }

  @Override
  public Kind kind(Path path) throws ErrnoException {
    if (!files.containsKey(path.toString())) {
      throw new ErrnoException(Errno.ENOENT, path.toString());
    }
    return Kind.REGULAR;
  }

  @Override
  public void truncate(int fd, long sizeBytes) throws ErrnoException {
    file(fd).resize(sizeBytes);
  }

  @Override
  public long nextData(int fd, long offsetBytes) throws ErrnoException {
    return file(fd).nextData(offsetBytes);
  }

  @Override
  public long nextHole(int fd, long offsetBytes) throws ErrnoException {
    return file(fd).nextHole(offsetBytes);
  }

  @Override
  public long copyRange(
      int fromFd, long fromOffsetBytes, int toFd, long toOffsetBytes, long lengthBytes)
      throws ErrnoException {
    byte[] bytes = file(fromFd).read(fromOffsetBytes, Math.toIntExact(lengthBytes));
    file(toFd).write(toOffsetBytes, bytes);
    return bytes.length;
  }

  @Override
  public boolean tryLock(int fd, LockType type, long startBytes, long lengthBytes)
      throws ErrnoException {
    if (type != LockType.UNLOCK && isLockedByOther(fd, type, startBytes, lengthBytes)) {
      return false;
    }
    long end = startBytes + lengthBytes;
    locks.removeIf(lock -> lock.fd == fd && lock.start >= startBytes && lock.end <= end);
    if (type != LockType.UNLOCK) {
      locks.add(new Lock(fd, type, startBytes, end));
    }
    return true;
  }

  @Override
  public boolean isLockedByOther(int fd, LockType type, long startBytes, long lengthBytes)
      throws ErrnoException {
    SimFile file = file(fd);
    for (Lock lock : locks) {
      @Nullable SimFile other = open.get(lock.fd);
      if (lock.fd != fd
          && other == file
          && lock.conflicts(type, startBytes, startBytes + lengthBytes)) {
        return true;
      }
    }
    return false;
  }
}
