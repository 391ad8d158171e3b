package org.tinamou.tools.io;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.image.OpenImage;

/** {@code write}, {@code writev} and {@code aio_write}. */
final class WriteCommands {
  private static final byte DEFAULT_PATTERN = (byte) 0xcd;

  /** What is to be written. */
  private static final class Write {
    long offset;
    long[] counts = {};
    boolean machine;
    boolean quiet;
    boolean onDisk;
    boolean zeroes;
    boolean mayUnmap;
    boolean onlyIfFast;
    boolean state;
    boolean compressed;
    byte pattern = DEFAULT_PATTERN;
    byte @Nullable [] source;

    long total() {
      long total = 0;
      for (long count : counts) {
        total += count;
      }
      return total;
    }
  }

  private final IoSession session;
  private final Console console;

  WriteCommands(IoSession session) {
    this.session = session;
    this.console = session.console();
  }

  boolean write(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "bcCfnpP:qs:uz");
    Write write = new Write();
    boolean state = false;
    boolean compressed = false;
    boolean patterned = false;
    String sourceName = null;
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      switch (letter) {
        case 'b' -> state = true;
        case 'c' -> compressed = true;
        case 'n' -> write.onlyIfFast = true;
        case 'P' -> {
          patterned = true;
          write.pattern = arguments.pattern(arguments.value());
        }
        case 's' -> sourceName = arguments.value();
        case 'p' -> {
          // Kept for old scripts.
        }
        default -> option(arguments, write, letter);
      }
    }
    List<String> operands = arguments.operands(2, 2);
    check(arguments, write, state, compressed, patterned, sourceName != null);
    write.offset = arguments.number(operands.getFirst());
    write.counts = new long[] {count(arguments, write, operands.getLast())};
    if (state || compressed) {
      IoTransfers.requireSectors(arguments, write.offset, write.counts[0]);
    }
    write.state = !write.zeroes && state;
    write.compressed = !write.zeroes && compressed;
    if (sourceName != null) {
      write.source = load(sourceName, write.counts[0]);
    }
    return perform(write, "write");
  }

  private static void check(
      IoArguments arguments,
      Write write,
      boolean state,
      boolean compressed,
      boolean patterned,
      boolean sourced)
      throws IoArguments.Refused {
    if (state && write.zeroes) {
      throw arguments.refuse("-b and -z cannot be specified at the same time");
    }
    if (write.onDisk && (state || compressed)) {
      throw arguments.refuse("-f and -b or -c cannot be specified at the same time");
    }
    if (write.onlyIfFast && !write.zeroes) {
      throw arguments.refuse("-n requires -z to be specified");
    }
    if (write.mayUnmap && !write.zeroes) {
      throw arguments.refuse("-u requires -z to be specified");
    }
    if ((write.zeroes ? 1 : 0) + (patterned ? 1 : 0) + (sourced ? 1 : 0) > 1) {
      throw arguments.refuse("Only one of -z, -P, and -s can be specified at the same time");
    }
  }

  private static long count(IoArguments arguments, Write write, String text)
      throws IoArguments.Refused {
    long count = arguments.number(text);
    if (count > IoArguments.MAX_REQUEST_BYTES && !write.onlyIfFast) {
      throw arguments.refuse(
          "length cannot exceed " + IoArguments.MAX_REQUEST_BYTES + " without -n, given " + text);
    }
    return count;
  }

  /** The beginning of a file, which may have no end. */
  private byte[] load(String name, long mostBytes) throws IoArguments.Refused {
    String problem;
    try {
      byte[] bytes = session.context().callBlocking(() -> read(Path.of(name), mostBytes));
      if (bytes.length > 0) {
        return bytes;
      }
      problem = "file is empty";
    } catch (NoSuchFileException e) {
      problem = Errno.ENOENT.message();
    } catch (AccessDeniedException e) {
      problem = Errno.EACCES.message();
    } catch (ErrnoException e) {
      problem = e.errno().message();
    } catch (IOException e) {
      problem = Errno.EIO.message();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    console.errorLine(name + ": " + problem);
    throw new IoArguments.Refused();
  }

  private static byte[] read(Path path, long mostBytes) throws IOException {
    if (Files.isDirectory(path)) {
      throw new ErrnoException(Errno.EISDIR, path.toString());
    }
    try (InputStream in = Files.newInputStream(path)) {
      return in.readNBytes((int) Math.min(mostBytes, Integer.MAX_VALUE));
    }
  }

  boolean writev(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "CfqP:");
    Write write = new Write();
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      option(arguments, write, letter);
    }
    several(arguments, write);
    return perform(write, "writev");
  }

  boolean aioWrite(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "CfiP:quz");
    Write write = new Write();
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      if (letter == 'i') {
        throw arguments.refuse("injecting invalid write request").asSuccess();
      }
      option(arguments, write, letter);
    }
    int operands = arguments.operands(2, Integer.MAX_VALUE).size();
    if (write.zeroes && operands > 2) {
      throw arguments.refuse("-z supports only a single length parameter");
    }
    if (write.mayUnmap && !write.zeroes) {
      throw arguments.refuse("-u requires -z to be specified");
    }
    several(arguments, write);
    session.start("aio_write", () -> perform(write, "aio_write"));
    return true;
  }

  private static void option(IoArguments arguments, Write write, int letter)
      throws IoArguments.Refused {
    switch (letter) {
      case 'C' -> write.machine = true;
      case 'f' -> write.onDisk = true;
      case 'P' -> write.pattern = arguments.pattern(arguments.value());
      case 'q' -> write.quiet = true;
      case 'u' -> write.mayUnmap = true;
      case 'z' -> write.zeroes = true;
      default -> throw new IllegalStateException("option " + letter);
    }
  }

  private static void several(IoArguments arguments, Write write) throws IoArguments.Refused {
    List<String> operands = arguments.operands(2, Integer.MAX_VALUE);
    write.offset = arguments.number(operands.getFirst());
    write.counts = arguments.counts(operands.subList(1, operands.size()));
  }

  /** Writes and reports. */
  private boolean perform(Write write, String verb) {
    long total = write.total();
    try (Arena arena = Arena.ofShared()) {
      if (!write.state) {
        IoTransfers.requireInside(session, write.offset, total, verb);
      }
      OpenImage image = session.image();
      IoVector buffers = write.zeroes ? IoVector.EMPTY : filled(arena, write, total);
      long start = session.nanos();
      if (write.state) {
        IoTransfers.vmState(session, verb).writeVmState(write.offset, buffers);
      } else if (write.zeroes) {
        image.writeZeroes(write.offset, total, write.mayUnmap, write.onlyIfFast);
      } else if (write.compressed) {
        image.writeCompressed(buffers, write.offset);
      } else {
        image.write(buffers, write.offset);
      }
      // What goes past the handle does not wait for the disk by itself.
      boolean unflushed = write.state && image.backend().isWriteThrough();
      if (write.onDisk || unflushed) {
        image.flush();
      }
      long nanos = session.nanos() - start;
      if (!write.quiet) {
        IoReport.print(console, "wrote", nanos, write.offset, total, total, write.machine);
      }
      return true;
    } catch (BlockException e) {
      console.line(verb + " failed: " + e.errno().message());
      return false;
    }
  }

  private IoVector filled(Arena arena, Write write, long total) {
    MemorySegment buffer = session.buffer(arena, total);
    byte[] source = write.source;
    if (source == null) {
      buffer.fill(write.pattern);
    } else {
      MemorySegment repeated = MemorySegment.ofArray(source);
      for (long done = 0; done < total; done += source.length) {
        long length = Math.min(source.length, total - done);
        buffer.asSlice(done, length).copyFrom(repeated.asSlice(0, length));
      }
    }
    return IoVector.of(IoSession.split(buffer, write.counts));
  }
}
