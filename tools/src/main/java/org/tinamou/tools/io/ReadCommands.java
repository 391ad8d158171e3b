package org.tinamou.tools.io;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.tools.cli.Console;

/** {@code read}, {@code readv} and {@code aio_read}. */
final class ReadCommands {
  private static final byte UNREAD = (byte) 0xab;

  /** What is to be read and what becomes of it. */
  private static final class Read {
    long offset;
    long[] counts = {};
    boolean machine;
    boolean quiet;
    boolean dump;
    boolean verify;
    byte pattern;
    long patternOffset;
    long patternCount = -1;

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

  ReadCommands(IoSession session) {
    this.session = session;
    this.console = session.console();
  }

  boolean read(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "bCl:pP:qs:v");
    Read read = new Read();
    boolean state = false;
    boolean part = false;
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      switch (letter) {
        case 'b' -> state = true;
        case 'C' -> read.machine = true;
        case 'l' -> {
          part = true;
          read.patternCount = arguments.number(arguments.value());
        }
        case 'P' -> {
          read.verify = true;
          read.pattern = arguments.pattern(arguments.value());
        }
        case 'q' -> read.quiet = true;
        case 's' -> {
          part = true;
          read.patternOffset = arguments.number(arguments.value());
        }
        case 'v' -> read.dump = true;
        default -> {
          // Kept for old scripts.
        }
      }
    }
    List<String> operands = arguments.operands(2, 2);
    read.offset = arguments.number(operands.getFirst());
    read.counts = new long[] {arguments.count(operands.getLast())};
    checkPattern(arguments, read, part);
    if (state) {
      IoTransfers.requireSectors(arguments, read.offset, read.counts[0]);
    }
    return perform(read, state, "read");
  }

  private static void checkPattern(IoArguments arguments, Read read, boolean part)
      throws IoArguments.Refused {
    if (!read.verify && part) {
      throw arguments.usage();
    }
    long count = read.counts[0];
    if (read.patternCount < 0) {
      read.patternCount = count - read.patternOffset;
    }
    if (read.patternCount < 0 || read.patternCount > count - read.patternOffset) {
      throw arguments.refuse("pattern verification range exceeds end of read data");
    }
  }

  boolean readv(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "CP:qv");
    Read read = new Read();
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      option(arguments, read, letter);
    }
    several(arguments, read);
    return perform(read, false, "readv");
  }

  boolean aioRead(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "CP:iqv");
    Read read = new Read();
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      if (letter == 'i') {
        throw arguments.refuse("injecting invalid read request").asSuccess();
      }
      option(arguments, read, letter);
    }
    several(arguments, read);
    session.start("aio_read", () -> perform(read, false, "readv"));
    return true;
  }

  private static void option(IoArguments arguments, Read read, int letter)
      throws IoArguments.Refused {
    switch (letter) {
      case 'C' -> read.machine = true;
      case 'P' -> {
        read.verify = true;
        read.pattern = arguments.pattern(arguments.value());
      }
      case 'q' -> read.quiet = true;
      case 'v' -> read.dump = true;
      default -> throw new IllegalStateException("option " + letter);
    }
  }

  private static void several(IoArguments arguments, Read read) throws IoArguments.Refused {
    List<String> operands = arguments.operands(2, Integer.MAX_VALUE);
    read.offset = arguments.number(operands.getFirst());
    read.counts = arguments.counts(operands.subList(1, operands.size()));
    read.patternCount = read.total();
  }

  /** Reads, verifies and reports. */
  private boolean perform(Read read, boolean state, String verb) {
    long total = read.total();
    try (Arena arena = Arena.ofShared()) {
      if (!state) {
        IoTransfers.requireInside(session, read.offset, total, verb);
      }
      MemorySegment buffer = session.buffer(arena, total);
      buffer.fill(UNREAD);
      long start = session.nanos();
      IoVector target = IoVector.of(IoSession.split(buffer, read.counts));
      if (state) {
        IoTransfers.vmState(session, verb).readVmState(read.offset, target);
      } else {
        session.image().read(target, read.offset);
      }
      long nanos = session.nanos() - start;
      boolean matches = !read.verify || matches(read, buffer);
      if (!read.quiet) {
        if (read.dump) {
          IoReport.dump(console, buffer, read.offset);
        }
        IoReport.print(console, "read", nanos, read.offset, total, total, read.machine);
      }
      return matches;
    } catch (BlockException e) {
      console.line(verb + " failed: " + e.errno().message());
      return false;
    }
  }

  private boolean matches(Read read, MemorySegment buffer) {
    MemorySegment part = buffer.asSlice(read.patternOffset, read.patternCount);
    for (long position = 0; position < part.byteSize(); position++) {
      if (part.get(java.lang.foreign.ValueLayout.JAVA_BYTE, position) != read.pattern) {
        console.line(
            "Pattern verification failed at offset "
                + (read.offset + read.patternOffset)
                + ", "
                + read.patternCount
                + " bytes");
        return false;
      }
    }
    return true;
  }
}
