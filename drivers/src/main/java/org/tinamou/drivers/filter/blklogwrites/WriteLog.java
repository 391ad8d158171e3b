package org.tinamou.drivers.filter.blklogwrites;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.base.Parsed;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;

/**
 * A log of writes in the format of Linux's dm-log-writes: the super sector, then for each write a
 * sector that tells of it and the data. The super sector says how many there are, and is written
 * with every flush and every so many entries.
 */
final class WriteLog {
  static final long FLUSH = 1;
  static final long DISCARD = 1 << 2;

  private static final int ENTRY_BYTES = 32;
  private static final int BUFFER_ALIGNMENT_BYTES = 4096;
  private static final int COUNT_AT = 8;
  private static final int FLAGS_AT = 16;

  private final Edge edge;
  private final int sectorBytes;
  private final long superInterval;
  private final CoMutex mutex = new CoMutex("write log");
  private final Arena arena = Arena.ofShared();
  private final MemorySegment sector;
  private long entries;
  private long endSector;

  /**
   * A log that goes on behind what is there.
   *
   * @param entries how many entries there are
   * @param endSector where the next one goes
   * @param superInterval after how many entries the super sector is written
   */
  private WriteLog(Edge edge, int sectorBytes, long superInterval, long entries, long endSector) {
    this.edge = edge;
    this.sectorBytes = sectorBytes;
    this.superInterval = superInterval;
    this.entries = entries;
    this.endSector = endSector;
    this.sector = arena.allocate(sectorBytes, BUFFER_ALIGNMENT_BYTES);
  }

  /** An empty log; nothing is written before the first entry. */
  @AnyThread
  static WriteLog empty(Edge edge, int sectorBytes, long superInterval) {
    return new WriteLog(edge, sectorBytes, superInterval, 0, 1);
  }

  /**
   * The log that is there; an empty file is an empty one.
   *
   * @param sectorBytes of a new log
   * @throws BlockException if it is no log
   */
  @InCoroutine
  static WriteLog found(Edge edge, int sectorBytes, long superInterval) throws BlockException {
    long lengthBytes = edge.lengthBytes();
    if (lengthBytes == 0) {
      return empty(edge, sectorBytes, superInterval);
    }
    try (Arena local = Arena.ofShared()) {
      MemorySegment head = local.allocate(LogSuper.SIZE_BYTES);
      if (lengthBytes >= LogSuper.SIZE_BYTES) {
        edge.read(0, IoVector.of(head), 0);
      }
      return switch (LogSuper.parse(head)) {
        case Parsed.Malformed<LogSuper> bad ->
            throw new BlockException(Errno.EINVAL, bad.message());
        case Parsed.Value<LogSuper>(LogSuper known) -> {
          long end = endOf(edge, known, lengthBytes, local.allocate(ENTRY_BYTES));
          yield new WriteLog(edge, known.sectorBytes(), superInterval, known.entries(), end);
        }
      };
    }
  }

  /** Goes from entry to entry; what would lie behind the end of the file has no data. */
  @InCoroutine
  private static long endOf(Edge edge, LogSuper known, long lengthBytes, MemorySegment entry)
      throws BlockException {
    long limit = Long.MAX_VALUE / known.sectorBytes();
    long at = 1;
    for (long left = known.entries(); left != 0; left--) {
      long offset = at * known.sectorBytes();
      if (offset + ENTRY_BYTES > lengthBytes) {
        if (left < 0 || left > limit - at) {
          throw new BlockException(Errno.EINVAL, "Invalid number of log entries");
        }
        return at + left;
      }
      edge.read(offset, IoVector.of(entry), 0);
      boolean data = (entry.get(LogSuper.LONG, FLAGS_AT) & DISCARD) == 0;
      long count = data ? entry.get(LogSuper.LONG, COUNT_AT) : 0;
      if (count < 0 || count >= limit - at) {
        throw new BlockException(Errno.EINVAL, "Invalid size of log entry at sector " + at);
      }
      at += 1 + count;
    }
    return at;
  }

  @AnyThread
  int sectorBytes() {
    return sectorBytes;
  }

  /**
   * Adds an entry and its data.
   *
   * @param flags {@link #FLUSH} writes the super sector too; {@link #DISCARD} has no data
   * @param data null for zeroes
   */
  @InCoroutine
  void add(long offsetBytes, long lengthBytes, long flags, @Nullable IoVector data)
      throws BlockException {
    mutex.lock();
    try {
      sector.fill((byte) 0);
      sector.set(LogSuper.LONG, 0, offsetBytes / sectorBytes);
      sector.set(LogSuper.LONG, COUNT_AT, lengthBytes / sectorBytes);
      sector.set(LogSuper.LONG, FLAGS_AT, flags);
      edge.write(endSector * sectorBytes, IoVector.of(sector), 0);
      long dataBytes = flags == DISCARD ? 0 : lengthBytes;
      if (data != null) {
        edge.write((endSector + 1) * sectorBytes, data, 0);
      } else if (dataBytes > 0) {
        edge.writeZeroes((endSector + 1) * sectorBytes, dataBytes, 0);
      }
      endSector += 1 + dataBytes / sectorBytes;
      entries++;
      if (flags == FLUSH || Long.remainderUnsigned(entries, superInterval) == 0) {
        new LogSuper(entries, sectorBytes).write(sector);
        edge.write(0, IoVector.of(sector), 0);
      }
    } finally {
      mutex.unlock();
    }
  }

  /** Nothing is under way any more. */
  @AnyThread
  void close() {
    arena.close();
  }
}
