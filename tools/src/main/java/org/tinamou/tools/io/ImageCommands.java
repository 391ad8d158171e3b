package org.tinamou.tools.io;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.PreallocationMode;
import org.tinamou.qapi.HumanSize;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.OpenImage;

/** Commands on the open image that move no data. */
final class ImageCommands {
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
      session.image().discard(offset, count);
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
    OpenImage image = session.image();
    console.line("format name: " + image.format());
    if (image.isProtocol()) {
      // Of a protocol the reference tells both names, which are the same.
      console.line("format name: " + image.format());
    }
    if (!image.isHostFile()) {
      return false;
    }
    console.line("cluster size: " + HumanSize.decimals(0));
    console.line("vm state offset: " + HumanSize.decimals(0));
    return true;
  }

  boolean alloc(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "");
    OpenImage image = session.image();
    long offset = arguments.number(words.get(1));
    long count = words.size() > 2 ? arguments.number(words.get(2)) : OpenImage.SECTOR_BYTES;
    long rest = Math.min(Math.max(0, image.lengthBytes() - offset), count);
    long found = 0;
    try {
      for (long done = 0; done < rest; ) {
        Extent extent = image.extentAt(offset + done, rest - done);
        found += extent.present() ? extent.lengthBytes() : 0;
        done += extent.lengthBytes();
      }
    } catch (BlockException e) {
      console.line("is_allocated failed: " + e.errno().message());
      return false;
    }
    console.line(found + "/" + rest + " bytes allocated at offset " + HumanSize.decimals(offset));
    return true;
  }

  boolean map() {
    OpenImage image = session.image();
    long length = image.lengthBytes();
    try {
      for (long offset = 0; offset < length; ) {
        Extent extent = image.extentAt(offset, length - offset);
        long end = offset + extent.lengthBytes();
        while (end < length) {
          Extent next = image.extentAt(end, length - end);
          if (next.present() != extent.present()) {
            break;
          }
          end += next.lengthBytes();
        }
        console.line(
            withHexadecimal(end - offset, " ")
                + " bytes "
                + (extent.present() ? "    allocated" : "not allocated")
                + " at offset "
                + withHexadecimal(offset, " "));
        offset = end;
      }
      return true;
    } catch (BlockException e) {
      console.error("Failed to get allocation status: " + e.errno().message());
      return false;
    }
  }

  private static String withHexadecimal(long bytes, String between) {
    return HumanSize.decimals(bytes) + between + "(0x" + Long.toHexString(bytes) + ")";
  }

  /** Breakpoints belong to a driver that may not be there. */
  boolean breakpoint(List<String> words) {
    String first = words.get(1);
    BlockDriver.Breakpoints breakpoints = session.image().breakpoints();
    return switch (words.getFirst()) {
      case "break" -> {
        DebugEvent event = DebugEvent.parse(first);
        if (breakpoints == null || event == null) {
          yield refuse("set breakpoint", breakpoints);
        }
        breakpoints.addBreakpoint(event, words.get(2), console::line);
        yield true;
      }
      case "remove_break" ->
          breakpoints != null && breakpoints.removeBreakpoint(first)
              || refuse("remove breakpoint " + first, breakpoints);
      case "resume" ->
          breakpoints != null && breakpoints.resume(first) || refuse("resume request", breakpoints);
      default -> {
        if (breakpoints == null) {
          yield refuse("wait for breakpoint", breakpoints);
        }
        breakpoints.awaitSuspended(first);
        yield true;
      }
    };
  }

  private boolean refuse(String verb, BlockDriver.@Nullable Breakpoints breakpoints) {
    Errno reason = breakpoints == null ? Errno.EOPNOTSUPP : Errno.ENOENT;
    console.line("Could not " + verb + ": " + reason.message());
    return false;
  }
}
