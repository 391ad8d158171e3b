package org.tinamou.tools.io;

import java.util.List;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.qapi.HumanSize;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.OpenImage;

/** Commands on the open image that move no data. */
final class ImageCommands {
  private static final String NOT_SUPPORTED = "Operation not supported";

  private final IoSession session;
  private final Console console;

  ImageCommands(IoSession session) {
    this.session = session;
    this.console = session.console();
  }

  boolean discard(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "Cq");
    boolean machine = false;
    boolean quiet = false;
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      machine |= letter == 'C';
      quiet |= letter == 'q';
    }
    List<String> operands = arguments.operands(2, 2);
    long offset = arguments.number(operands.getFirst());
    long count = arguments.count(operands.getLast());
    try {
      IoTransfers.requireInside(session, offset, count, "discard");
      long start = session.nanos();
      if (!session.options().ignoreDiscard) {
        session.image().discard(offset, count);
      }
      if (!quiet) {
        long nanos = session.nanos() - start;
        IoReport.print(console, "discard", nanos, offset, count, count, machine);
      }
      return true;
    } catch (BlockException e) {
      console.line("discard failed: " + e.errno().message());
      return false;
    }
  }

  boolean flush() {
    try {
      session.image().flush();
      return true;
    } catch (BlockException e) {
      return false;
    }
  }

  boolean truncate(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "m:");
    PreallocationMode preallocation = PreallocationMode.OFF;
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      PreallocationMode mode = PreallocationMode.parse(arguments.value());
      if (mode == null) {
        console.error("Invalid preallocation mode '" + arguments.value() + "'");
        return false;
      }
      preallocation = mode;
    }
    List<String> operands = arguments.operands(1, Integer.MAX_VALUE);
    long size = arguments.number(operands.getFirst());
    try {
      session.image().truncate(size, false, preallocation);
      return true;
    } catch (BlockException e) {
      console.error(String.valueOf(e.getMessage()));
      return false;
    }
  }

  boolean length() {
    console.line(HumanSize.decimals(session.image().lengthBytes()));
    return true;
  }

  boolean info() {
    String format = session.image().format();
    console.line("format name: " + format);
    if (format.equals(ImageFormats.FILE)) {
      // Of a protocol the reference tells both names, which are the same.
      console.line("format name: " + format);
    }
    console.line("cluster size: " + HumanSize.decimals(0));
    console.line("vm state offset: " + HumanSize.decimals(0));
    return true;
  }

  /** An image without another behind it is allocated everywhere. */
  boolean alloc(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "");
    long offset = arguments.number(words.get(1));
    long count = words.size() > 2 ? arguments.number(words.get(2)) : OpenImage.SECTOR_BYTES;
    long rest = Math.max(0, session.image().lengthBytes() - offset);
    long found = Math.min(rest, count);
    console.line(found + "/" + found + " bytes allocated at offset " + HumanSize.decimals(offset));
    return true;
  }

  boolean map() {
    long length = session.image().lengthBytes();
    if (length > 0) {
      console.line(
          HumanSize.decimals(length)
              + " (0x"
              + Long.toHexString(length)
              + ") bytes     allocated at offset "
              + HumanSize.decimals(0)
              + " (0x0)");
    }
    return true;
  }

  /** Breakpoints belong to a driver that is not there. */
  boolean breakpoint(List<String> words) {
    String verb =
        switch (words.getFirst()) {
          case "break" -> "set breakpoint";
          case "remove_break" -> "remove breakpoint " + words.get(1);
          case "resume" -> "resume request";
          default -> "wait for breakpoint";
        };
    console.line("Could not " + verb + ": " + NOT_SUPPORTED);
    return false;
  }
}
