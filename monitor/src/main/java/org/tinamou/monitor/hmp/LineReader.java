package org.tinamou.monitor.hmp;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.monitor.CommandContext;

/** Reads the arguments of a command from its line. */
final class LineReader {
  private static final long MEBIBYTE = 1 << 20;
  private static final String UNITS = "BKMGTPE";

  private final String line;
  private int at;

  LineReader(String line) {
    this.line = line;
  }

  private boolean isAtEnd() {
    return at >= line.length();
  }

  private char peek() {
    return isAtEnd() ? '\0' : line.charAt(at);
  }

  private static boolean isBlank(char character) {
    return character == ' ' || (character >= '\t' && character <= '\r');
  }

  void skipBlanks() {
    while (isBlank(peek())) {
      at++;
    }
  }

  /** The next word up to a blank or a slash; empty at the end. */
  String commandName() {
    skipBlanks();
    int start = at;
    while (!isAtEnd() && !isBlank(peek()) && peek() != '/') {
      at++;
    }
    return line.substring(start, at);
  }

  /** What was read so far. */
  String begun() {
    return line.substring(0, at);
  }

  /** All arguments of a command. */
  HumanArguments arguments(HumanCommand command, CommandContext source) throws BadLine {
    HumanArguments values = new HumanArguments(source);
    for (HumanArgument argument : command.arguments()) {
      skipBlanks();
      switch (argument.kind()) {
        case FLAG -> flag(command, argument, values);
        case REST -> rest(command, argument, values);
        case DEVICE, FILE, STRING -> {
          if (!argument.optional() || !isAtEnd()) {
            String word = word();
            if (word == null) {
              throw new BadLine(command.names() + ": " + argument.kind().missing);
            }
            values.put(argument.name(), word);
          }
        }
        case INTEGER, LONG, SIZE -> {
          if (!argument.optional() || !isAtEnd()) {
            values.put(argument.name(), number(command, argument.kind()));
          }
        }
      }
    }
    skipBlanks();
    if (!isAtEnd()) {
      throw new BadLine(command.names() + ": extraneous characters at the end of line");
    }
    return values;
  }

  private void flag(HumanCommand command, HumanArgument argument, HumanArguments values)
      throws BadLine {
    if (peek() != '-' || at + 1 >= line.length()) {
      return;
    }
    String letter = line.substring(at + 1, at + 2);
    if (letter.equals(argument.name())) {
      at += 2;
      values.put(letter, true);
    } else if (command.arguments().stream()
        .noneMatch(each -> each.kind() == HumanArgument.Kind.FLAG && each.name().equals(letter))) {
      throw new BadLine(command.names() + ": unsupported option -" + letter);
    }
  }

  private void rest(HumanCommand command, HumanArgument argument, HumanArguments values)
      throws BadLine {
    if (!isAtEnd()) {
      values.put(argument.name(), line.substring(at));
      at = line.length();
    } else if (!argument.optional()) {
      throw new BadLine(command.names() + ": " + argument.kind().missing);
    }
  }

  /** A word, perhaps in quotes; null if there is none. */
  @Nullable String word() {
    skipBlanks();
    if (isAtEnd()) {
      return null;
    }
    StringBuilder word = new StringBuilder();
    if (peek() != '"') {
      while (!isAtEnd() && !isBlank(peek())) {
        word.append(line.charAt(at++));
      }
      return word.toString();
    }
    at++;
    while (!isAtEnd() && peek() != '"') {
      char next = line.charAt(at++);
      if (next == '\\') {
        char escaped = peek();
        at++;
        switch (escaped) {
          case 'n' -> word.append('\n');
          case 'r' -> word.append('\r');
          case '\\', '\'', '"' -> word.append(escaped);
          default -> {
            return null;
          }
        }
      } else {
        word.append(next);
      }
    }
    if (isAtEnd()) {
      return null;
    }
    at++;
    return word.toString();
  }

  private long number(HumanCommand command, HumanArgument.Kind kind) throws BadLine {
    if (kind == HumanArgument.Kind.SIZE) {
      return size();
    }
    Calculation calculation = new Calculation(line, at);
    long value = calculation.value();
    at = calculation.end();
    if (kind == HumanArgument.Kind.INTEGER && value >>> Integer.SIZE != 0) {
      throw new BadLine("'" + command.name() + "' has failed: integer is for 32-bit values");
    }
    return value;
  }

  private long size() throws BadLine {
    int start = at;
    while (Character.isDigit(peek())) {
      at++;
    }
    if (at == start) {
      throw new BadLine("invalid size");
    }
    if (peek() == '.') {
      at++;
      while (Character.isDigit(peek())) {
        at++;
      }
    }
    double number = Double.parseDouble(line.substring(start, at));
    int unit = isAtEnd() ? -1 : UNITS.indexOf(Character.toUpperCase(peek()));
    double scaled = number * MEBIBYTE;
    if (unit >= 0) {
      at++;
      scaled = number * Math.scalb(1.0, 10 * unit);
    }
    if (scaled >= Math.scalb(1.0, 63)) {
      throw new BadLine("invalid size");
    }
    return (long) scaled;
  }

  /** What is left, word by word. */
  List<String> words() {
    List<String> words = new java.util.ArrayList<>();
    String word;
    while ((word = word()) != null) {
      words.add(word);
    }
    return words;
  }
}
