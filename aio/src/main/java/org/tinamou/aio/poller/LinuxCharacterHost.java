package org.tinamou.aio.poller;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.CharacterHost;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.OpenFlags;
import org.tinamou.host.Terminals;

/** The host's files, pipes and terminals as connections. */
final class LinuxCharacterHost implements CharacterHost {
  static final LinuxCharacterHost INSTANCE = new LinuxCharacterHost();

  private LinuxCharacterHost() {}

  @Override
  public StreamSocket of(int input, int output, boolean owned) {
    return new LinuxCharacters(input, output, owned);
  }

  @Override
  public StreamSocket open(@Nullable Path input, @Nullable Path output, Mode mode)
      throws ErrnoException {
    if (input != null && input.equals(output)) {
      int fd = open(input, OpenFlags.READ_WRITE);
      return new LinuxCharacters(fd, fd, true);
    }
    int in = input == null ? -1 : open(input, openFlags(mode, true));
    try {
      int out = output == null ? -1 : open(output, openFlags(mode, false));
      return new LinuxCharacters(in, out, true);
    } catch (ErrnoException e) {
      if (in >= 0) {
        LinuxFiles.close(in);
      }
      throw e;
    }
  }

  private static int openFlags(Mode mode, boolean reading) {
    return switch (mode) {
      // Both ways: a pipe whose other end is not there yet would block otherwise.
      case EXISTING -> OpenFlags.READ_WRITE;
      case TRUNCATE ->
          reading
              ? OpenFlags.READ_ONLY
              : OpenFlags.WRITE_ONLY | OpenFlags.CREATE | OpenFlags.TRUNCATE;
      case APPEND ->
          reading
              ? OpenFlags.READ_ONLY
              : OpenFlags.WRITE_ONLY | OpenFlags.CREATE | OpenFlags.APPEND;
    };
  }

  private static int open(Path path, int flags) throws ErrnoException {
    int fd = LinuxFiles.open(path.toString(), flags, 0666);
    if (fd < 0) {
      throw new ErrnoException(Errno.ofResult(fd), path.toString());
    }
    return fd;
  }

  @Override
  public PseudoTerminal openTerminal() throws ErrnoException {
    Terminals.Pseudo opened = Terminals.openPseudo();
    return new Terminal(opened.fd(), opened.path());
  }

  private record Terminal(int fd, String path) implements PseudoTerminal {
    @Override
    public StreamSocket connect() {
      return new LinuxCharacters(fd, fd, false);
    }

    @Override
    public long tryRead(MemorySegment buffer) {
      return LinuxFiles.read(fd, buffer);
    }

    @Override
    public void close() {
      LinuxFiles.close(fd);
    }
  }

  @Override
  public @Nullable RawTerminal rawTerminalOrNull(int fd, boolean signals) {
    try {
      Terminals.Mode before = Terminals.mode(fd);
      Terminals.makeRaw(fd, signals, true);
      return () -> restore(fd, before);
    } catch (ErrnoException e) {
      return null;
    }
  }

  private static void restore(int fd, Terminals.Mode mode) {
    try {
      Terminals.restore(fd, mode);
    } catch (ErrnoException e) {
      // The terminal has gone, and its mode with it.
    }
  }
}
