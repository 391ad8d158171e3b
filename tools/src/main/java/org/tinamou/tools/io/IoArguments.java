package org.tinamou.tools.io;

import java.util.List;
import org.tinamou.qapi.SizeText;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.WholeNumber;
import org.tinamou.tools.getopt.OptionScanner;

/** The words of one command: options, then operands. */
final class IoArguments {
  /** The most bytes one request may move. */
  static final long MAX_REQUEST_BYTES = 0x7fff_fe00L;

  /** The command does not go on; everything has been said. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean success;

    Refused() {
      this(false);
    }

    private Refused(boolean success) {
      super(null, null, false, false);
      this.success = success;
    }

    /** The same for a command that counts as successful. */
    Refused asSuccess() {
      return new Refused(true);
    }

    boolean isSuccess() {
      return success;
    }
  }

  private final Console console;
  private final IoCommand command;
  private final String calledAs;
  private final OptionScanner scanner;

  /**
   * @param words the command's name as it was called, then its arguments
   */
  IoArguments(Console console, IoCommand command, List<String> words, String letters) {
    this.console = console;
    this.command = command;
    this.calledAs = words.getFirst();
    this.scanner =
        new OptionScanner(
            calledAs,
            words.subList(1, words.size()),
            letters,
            List.of(),
            console.err(),
            System.getenv("POSIXLY_CORRECT") != null);
  }

  /** The next option's letter, or -1. */
  int next() throws Refused {
    int letter = scanner.next();
    if (letter == OptionScanner.UNKNOWN) {
      console.err().flush();
      throw usage();
    }
    return letter;
  }

  String value() {
    return scanner.value();
  }

  /** Prints how the command is used. */
  Refused usage() {
    console.line(command.usage(calledAs));
    return new Refused();
  }

  /** Prints what is wrong. */
  Refused refuse(String message) {
    console.line(message);
    return new Refused();
  }

  /** The operands, which must be so many. */
  List<String> operands(int least, int most) throws Refused {
    List<String> operands = scanner.operands();
    if (operands.size() < least || operands.size() > most) {
      throw usage();
    }
    return operands;
  }

  /** A number of bytes below 2^63. */
  long number(String text) throws Refused {
    return switch (SizeText.parse(text)) {
      case SizeText.Result.Size(long bytes, String warning) -> {
        console.warning(warning);
        if (bytes < 0) {
          throw refuse("Parsing error: argument too large -- " + text);
        }
        yield bytes;
      }
      case SizeText.Result.TooLarge() ->
          throw refuse("Parsing error: argument too large -- " + text);
      case SizeText.Result.NotASize() ->
          throw refuse(
              "Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- " + text);
    };
  }

  /** A number of bytes that one request can move. */
  long count(String text) throws Refused {
    long count = number(text);
    if (count > MAX_REQUEST_BYTES) {
      throw refuse("length cannot exceed " + MAX_REQUEST_BYTES + ", given " + text);
    }
    return count;
  }

  /** The sizes of several buffers of one request. */
  long[] counts(List<String> texts) throws Refused {
    long[] counts = new long[texts.size()];
    long total = 0;
    for (int index = 0; index < counts.length; index++) {
      String text = texts.get(index);
      counts[index] = number(text);
      if (counts[index] > MAX_REQUEST_BYTES) {
        throw refuse("Argument '" + text + "' exceeds maximum size " + MAX_REQUEST_BYTES);
      }
      total += counts[index];
      if (total > MAX_REQUEST_BYTES) {
        throw refuse("The total number of bytes exceed the maximum size " + MAX_REQUEST_BYTES);
      }
    }
    return counts;
  }

  /** A byte to fill buffers with or to look for. */
  byte pattern(String text) throws Refused {
    Long number = WholeNumber.parse(text);
    if (number == null || number < 0 || number > 255) {
      throw refuse(text + " is not a valid pattern byte");
    }
    return number.byteValue();
  }
}
