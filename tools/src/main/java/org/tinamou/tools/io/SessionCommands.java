package org.tinamou.tools.io;

import java.io.IOException;
import java.util.List;
import org.tinamou.base.ClockType;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.WholeNumber;

/** Commands that concern the session rather than an image's content. */
final class SessionCommands {
  private static final int ABORT_SIGNAL = 6;
  private static final int LARGEST_SIGNAL = 64;

  private final IoSession session;
  private final Console console;

  SessionCommands(IoSession session) {
    this.session = session;
    this.console = session.console();
  }

  boolean help(List<String> words) {
    if (words.size() > 1) {
      String name = words.get(1);
      IoCommand command = IoCommand.find(name);
      if (command == null) {
        console.line("command " + name + " not found");
        return false;
      }
      console.line(command.usage(name));
      console.out().print(IoHelp.details(command.name()));
      return true;
    }
    for (IoCommand command : IoCommand.ALL) {
      console.line(command.usage(command.name()));
    }
    console.line("");
    console.line("Use 'help commandname' for extended help.");
    return true;
  }

  boolean close() {
    session.close();
    return true;
  }

  boolean open(IoCommand command, List<String> words) throws IoArguments.Refused, ToolException {
    IoArguments arguments = new IoArguments(console, command, words, "snCro:ki:t:d:U");
    IoOptions options = new IoOptions();
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      switch (letter) {
        case 's' -> options.snapshot = true;
        case 'n' -> options.cache = CacheMode.NONE;
        case 'C' -> options.copyOnRead = true;
        case 'r' -> options.readOnly = true;
        case 'k' -> options.nativeAio();
        case 't' -> options.cache(arguments.value());
        case 'd' -> options.discard(arguments.value());
        case 'i' -> options.aio(arguments.value());
        case 'o' -> options.add(console, arguments.value());
        case 'U' -> options.forceShare = true;
        default -> throw new IllegalStateException("option " + letter);
      }
    }
    List<String> operands = arguments.operands(options.hasDriverOptions() ? 0 : 1, 1);
    String name = operands.isEmpty() ? null : operands.getFirst();
    if (session.hasImage()) {
      throw new ToolException("file open already, try 'help close'");
    }
    session.open(name, options);
    return true;
  }

  boolean sleep(List<String> words) {
    Long millis = WholeNumber.parse(words.get(1));
    if (millis == null || millis < 0) {
      console.line(words.get(1) + " is not a valid number");
      return false;
    }
    // Longer than the clock can count is as good as for ever, which the reference does not wait
    // either.
    if (millis < Long.MAX_VALUE / 1_000_000) {
      session.context().sleep(ClockType.REALTIME, millis * 1_000_000);
    }
    return true;
  }

  boolean abort() throws IoArguments.Refused {
    return raise(ABORT_SIGNAL);
  }

  boolean sigraise(IoCommand command, List<String> words) throws IoArguments.Refused {
    IoArguments arguments = new IoArguments(console, command, words, "");
    long signal = arguments.number(words.get(1));
    if (signal > LARGEST_SIGNAL) {
      throw arguments.refuse(
          "signal argument '" + words.get(1) + "' is too large to be a valid signal");
    }
    return signal == 0 || raise((int) signal);
  }

  /** Sends this process a signal by the shell's means: the JVM has none. */
  private boolean raise(int signal) throws IoArguments.Refused {
    console.out().flush();
    console.err().flush();
    try {
      String[] kill = {"/bin/sh", "-c", "kill -" + signal + " " + ProcessHandle.current().pid()};
      return session
          .context()
          .callBlocking(() -> new ProcessBuilder(kill).inheritIO().start().waitFor() == 0);
    } catch (IOException e) {
      console.error("cannot raise a signal: " + e.getMessage());
      throw new IoArguments.Refused();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
