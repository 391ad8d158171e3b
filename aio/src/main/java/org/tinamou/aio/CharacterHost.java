package org.tinamou.aio;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/**
 * Files, pipes and terminals that are used like connections: what comes is read, what is written
 * goes out, and there are no offsets.
 */
public interface CharacterHost {
  /** A host that has none. */
  CharacterHost NONE =
      new CharacterHost() {
        @Override
        public StreamSocket of(int input, int output, boolean owned) throws ErrnoException {
          throw refused();
        }

        @Override
        public StreamSocket open(@Nullable Path input, @Nullable Path output, Mode mode)
            throws ErrnoException {
          throw refused();
        }

        @Override
        public PseudoTerminal openTerminal() throws ErrnoException {
          throw refused();
        }

        @Override
        public @Nullable RawTerminal rawTerminalOrNull(int fd, boolean signals) {
          return null;
        }

        private ErrnoException refused() {
          return new ErrnoException(
              Errno.EOPNOTSUPP, "character devices need the kernel's interface");
        }
      };

  /** What becomes of a file that is there already. */
  enum Mode {
    /** It must be there, and is used as it is. */
    EXISTING,
    /** It is made if it is not there, and emptied. */
    TRUNCATE,
    /** It is made if it is not there, and written to at its end. */
    APPEND
  }

  /** The controlling end of a pseudo-terminal, closed when nothing uses it any more. */
  interface PseudoTerminal extends AutoCloseable {
    /** What others open. */
    @AnyThread
    String path();

    /**
     * A connection to whoever has the other end open; reading fails with EIO when nobody has.
     * Closing it leaves the terminal open.
     */
    @AnyThread
    StreamSocket connect();

    /** Reads without waiting: EIO while nobody has the other end open, else maybe EAGAIN. */
    @AnyThread
    long tryRead(MemorySegment buffer);

    @AnyThread
    @Override
    void close();
  }

  /** A terminal that passes on each character as it is typed, until it is closed. */
  interface RawTerminal extends AutoCloseable {
    /** Makes the terminal what it was. Idempotent. */
    @AnyThread
    @Override
    void close();
  }

  /**
   * Descriptors that somebody has opened, in whatever mode.
   *
   * @param input where bytes come from; -1 if none ever come
   * @param output where they go; -1 if they are thrown away
   * @param owned whether closing the connection closes them
   */
  StreamSocket of(int input, int output, boolean owned) throws ErrnoException;

  /**
   * Opens files or pipes. Blocks: called on a worker.
   *
   * @param input where bytes come from, or null
   * @param output where they go, or null; if it is {@code input} itself, it is opened once
   * @throws ErrnoException the path that cannot be opened is its context
   */
  StreamSocket open(@Nullable Path input, @Nullable Path output, Mode mode) throws ErrnoException;

  /** Opens a pseudo-terminal that passes characters on as they are. */
  PseudoTerminal openTerminal() throws ErrnoException;

  /**
   * Takes a terminal's line editing and echo away.
   *
   * @param signals whether the keys that interrupt and suspend still do so
   * @return null if the descriptor is not a terminal
   */
  @Nullable RawTerminal rawTerminalOrNull(int fd, boolean signals);
}
