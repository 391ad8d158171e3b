package org.tinamou.nbd.server;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;

/**
 * A disk that a server shows. Requests come from coroutines of its loop, many at a time, inside of
 * the size; buffers stay the server's. Failures keep their errno, and their context is told to
 * clients that can read texts.
 */
public interface NbdExport {
  /**
   * The loop in which its requests are to run, wherever it is now; null for the server's. The
   * server is told by {@link NbdServer#moved}.
   */
  @AnyThread
  default @Nullable AioContext context() {
    return null;
  }

  /** What clients ask for; may be empty. */
  @AnyThread
  String name();

  /** A text for people, or empty. */
  @AnyThread
  String description();

  /** How many bytes it has now. */
  @AnyThread
  long sizeBytes();

  @AnyThread
  boolean isReadOnly();

  /** Whether a client may use several connections: a flush on one counts for all. */
  @AnyThread
  boolean isMultiConnection();

  /** The smallest piece that can be asked for, a power of two. */
  @AnyThread
  int minimumBlockBytes();

  /** The pieces it likes best, a power of two. */
  @AnyThread
  int preferredBlockBytes();

  /** The names of what {@link #extents} tells of, in the order of their numbers. */
  @AnyThread
  List<String> contexts();

  @InCoroutine
  void read(long offsetBytes, IoVector buffer) throws ErrnoException;

  /**
   * Stores the buffer.
   *
   * @param forceUnitAccess whether it must be stable when this returns
   */
  @InCoroutine
  void write(long offsetBytes, IoVector buffer, boolean forceUnitAccess) throws ErrnoException;

  /** Makes completed writes stable. */
  @InCoroutine
  void flush() throws ErrnoException;

  /** Forgets a range, as far as that is possible. */
  @InCoroutine
  void trim(long offsetBytes, long lengthBytes, boolean forceUnitAccess) throws ErrnoException;

  /**
   * Makes a range read as zeroes.
   *
   * @param mayUnmap its space may be given back
   * @param onlyIfFast fail with EOPNOTSUPP rather than write buffers of zeroes
   */
  @InCoroutine
  void writeZeroes(
      long offsetBytes,
      long lengthBytes,
      boolean mayUnmap,
      boolean onlyIfFast,
      boolean forceUnitAccess)
      throws ErrnoException;

  /** Has a range at hand, as it will be read soon. */
  @InCoroutine
  void cache(long offsetBytes, long lengthBytes) throws ErrnoException;

  /**
   * Tells what a context knows of a range, from its beginning on, until it ends or the sink has
   * enough.
   *
   * @param context one of {@link #contexts}
   */
  @InCoroutine
  void extents(String context, long offsetBytes, long lengthBytes, ExtentSink sink)
      throws ErrnoException;

  /** Who is told extents. */
  @FunctionalInterface
  interface ExtentSink {
    /**
     * The next piece, not empty.
     *
     * @return whether to go on
     */
    boolean extent(long lengthBytes, long flags);
  }
}
