package org.tinamou.tools.io;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;

/** Runs command lines in a session. */
final class IoCommands {
  /** What became of a command line. */
  enum Outcome {
    OK,
    FAILED,
    QUIT
  }

  private final IoSession session;
  private final Console console;
  private final ReadCommands reads;
  private final WriteCommands writes;
  private final ImageCommands images;
  private final SessionCommands sessions;
  private final ReopenCommand reopens;

  IoCommands(IoSession session) {
    this.session = session;
    this.console = session.console();
    this.reads = new ReadCommands(session);
    this.writes = new WriteCommands(session);
    this.images = new ImageCommands(session);
    this.sessions = new SessionCommands(session);
    this.reopens = new ReopenCommand(session);
  }

  /** Runs one line; an empty one does nothing. */
  Outcome run(String line) {
    List<String> words = words(line);
    if (words.isEmpty()) {
      return Outcome.OK;
    }
    IoCommand command = IoCommand.find(words.getFirst());
    if (command == null || !session.offers(command)) {
      console.errorLine("command \"" + words.getFirst() + "\" not found");
      return Outcome.FAILED;
    }
    if (command.needsImage() && !session.hasImage()) {
      console.errorLine("no file open, try 'help open'");
      return Outcome.FAILED;
    }
    String wrongCount = command.wrongCount(words.getFirst(), words.size() - 1);
    if (wrongCount != null) {
      console.errorLine(wrongCount);
      return Outcome.FAILED;
    }
    if (command.writes() && !session.image().isWritable()) {
      console.error("Block node is read-only");
      return Outcome.FAILED;
    }
    if (command.name().equals("quit")) {
      return Outcome.QUIT;
    }
    try {
      session.prepare(command);
      return perform(command, words) ? Outcome.OK : Outcome.FAILED;
    } catch (IoArguments.Refused e) {
      return e.isSuccess() ? Outcome.OK : Outcome.FAILED;
    } catch (ToolException e) {
      console.fail(e);
      return Outcome.FAILED;
    }
  }

  private boolean perform(IoCommand command, List<String> words)
      throws IoArguments.Refused, ToolException {
    return switch (command.name()) {
      case "abort" -> sessions.abort();
      case "aio_flush" -> {
        session.drain();
        yield true;
      }
      case "aio_read" -> reads.aioRead(command, words);
      case "aio_write" -> writes.aioWrite(command, words);
      case "alloc" -> images.alloc(command, words);
      case "break", "remove_break", "resume", "wait_break" -> images.breakpoint(words);
      case "close" -> sessions.close();
      case "discard" -> images.discard(command, words);
      case "flush" -> images.flush();
      case "help" -> sessions.help(words);
      case "info" -> images.info();
      case "length" -> images.length();
      case "map" -> images.map();
      case "open" -> sessions.open(command, words);
      case "read" -> reads.read(command, words);
      case "readv" -> reads.readv(command, words);
      case "reopen" -> reopens.reopen(command, words);
      case "sigraise" -> sessions.sigraise(command, words);
      case "sleep" -> sessions.sleep(words);
      case "truncate" -> images.truncate(command, words);
      case "write" -> writes.write(command, words);
      case "writev" -> writes.writev(command, words);
      default -> throw new IllegalStateException("command " + command.name());
    };
  }

  /** The words between blanks; there is no quoting. */
  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    int start = 0;
    for (int position = 0; position <= line.length(); position++) {
      if (position == line.length() || line.charAt(position) == ' ') {
        if (position > start) {
          words.add(line.substring(start, position));
        }
        start = position + 1;
      }
    }
    return words;
  }
}
