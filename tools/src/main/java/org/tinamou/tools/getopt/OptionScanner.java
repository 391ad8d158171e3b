package org.tinamou.tools.getopt;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Walks over a command line as glibc's {@code getopt_long} does: bundled short options, abbreviated
 * long ones, values attached or following, operands moved behind the options, {@code --} as the
 * end.
 *
 * <p>The letters are given as for getopt: a colon behind a letter means that it needs a value, two
 * that it may have one attached. A leading {@code +} stops at the first operand; then a leading
 * colon keeps the scanner quiet and makes it tell a missing value ({@code ':'}) from an unknown
 * option.
 */
public final class OptionScanner {
  /** There are no more options. */
  public static final int END = -1;

  /** An option that does not exist, is ambiguous or has a value it cannot have. */
  public static final int UNKNOWN = '?';

  /** An option without the value it needs, where the letters start with a colon. */
  public static final int MISSING_VALUE = ':';

  private final String program;
  private final String[] arguments;
  private final String letters;
  private final List<LongOption> longOptions;
  private final PrintStream messages;
  private final boolean stopsAtOperand;
  private final boolean quiet;

  private int index;
  private int firstOperand;
  private int afterOperands;
  private String bundle = "";
  private @Nullable String value;

  /**
   * @param program what the messages start with
   * @param arguments the words behind the program's name; copied
   * @param messages where messages about wrong options go, unless the letters ask for quiet
   * @param posixlyCorrect whether options end at the first operand, as the environment variable
   *     POSIXLY_CORRECT demands
   */
  public OptionScanner(
      String program,
      List<String> arguments,
      String letters,
      List<LongOption> longOptions,
      PrintStream messages,
      boolean posixlyCorrect) {
    this.program = program;
    this.arguments = arguments.toArray(new String[0]);
    this.longOptions = longOptions;
    this.messages = messages;
    boolean plus = letters.startsWith("+");
    this.stopsAtOperand = plus || posixlyCorrect;
    this.letters = plus ? letters.substring(1) : letters;
    this.quiet = this.letters.startsWith(":");
  }

  /** The next option's code, {@link #UNKNOWN}, {@link #MISSING_VALUE} or {@link #END}. */
  public int next() {
    value = null;
    if (bundle.isEmpty()) {
      if (!findOption()) {
        return END;
      }
      String word = arguments[index];
      if (word.startsWith("--")) {
        return longOption(word.substring(2));
      }
      bundle = word.substring(1);
    }
    return shortOption();
  }

  /** Moves to the next word that is an option; false if there is none. */
  private boolean findOption() {
    afterOperands = Math.min(afterOperands, index);
    firstOperand = Math.min(firstOperand, index);
    if (!stopsAtOperand) {
      moveOperandsBack();
      while (index < arguments.length && isOperand(arguments[index])) {
        index++;
      }
      afterOperands = index;
    }
    if (index < arguments.length && arguments[index].equals("--")) {
      index++;
      if (firstOperand == afterOperands) {
        firstOperand = index;
      } else if (afterOperands != index) {
        exchange();
      }
      afterOperands = arguments.length;
      index = arguments.length;
    }
    if (index == arguments.length) {
      if (firstOperand != afterOperands) {
        index = firstOperand;
      }
      return false;
    }
    return !isOperand(arguments[index]);
  }

  private void moveOperandsBack() {
    if (firstOperand != afterOperands && afterOperands != index) {
      exchange();
    } else if (afterOperands != index) {
      firstOperand = index;
    }
  }

  /** Moves the operands seen so far behind the options that followed them. */
  private void exchange() {
    int operands = afterOperands - firstOperand;
    String[] moved = new String[operands];
    System.arraycopy(arguments, firstOperand, moved, 0, operands);
    System.arraycopy(arguments, afterOperands, arguments, firstOperand, index - afterOperands);
    System.arraycopy(moved, 0, arguments, index - operands, operands);
    firstOperand += index - afterOperands;
    afterOperands = index;
  }

  private static boolean isOperand(String word) {
    return word.length() < 2 || word.charAt(0) != '-';
  }

  private int shortOption() {
    char letter = bundle.charAt(0);
    bundle = bundle.substring(1);
    int at = letter == ':' || letter == ';' ? -1 : letters.indexOf(letter);
    if (bundle.isEmpty()) {
      index++;
    }
    if (at < 0) {
      complain("invalid option -- '" + letter + "'");
      return UNKNOWN;
    }
    if (!letters.startsWith(":", at + 1)) {
      return letter;
    }
    boolean optional = letters.startsWith("::", at + 1);
    if (!bundle.isEmpty()) {
      value = bundle;
      index++;
    } else if (!optional) {
      if (index == arguments.length) {
        complain("option requires an argument -- '" + letter + "'");
        return missingValue();
      }
      value = arguments[index++];
    }
    bundle = "";
    return letter;
  }

  private int longOption(String text) {
    int equals = text.indexOf('=');
    String name = equals < 0 ? text : text.substring(0, equals);
    index++;
    LongOption found = null;
    boolean ambiguous = false;
    List<LongOption> candidates = new ArrayList<>();
    for (LongOption option : longOptions) {
      if (option.name().equals(name)) {
        found = option;
        ambiguous = false;
        break;
      }
      if (option.abbreviable() && option.name().startsWith(name)) {
        candidates.add(option);
        if (found == null) {
          found = option;
        } else if (found.argument() != option.argument() || found.code() != option.code()) {
          ambiguous = true;
        }
      }
    }
    if (ambiguous) {
      StringBuilder message =
          new StringBuilder("option '--" + text + "' is ambiguous; possibilities:");
      candidates.forEach(each -> message.append(" '--").append(each.name()).append('\''));
      complain(message.toString());
      return UNKNOWN;
    }
    if (found == null) {
      complain("unrecognized option '--" + text + "'");
      return UNKNOWN;
    }
    return withValue(found, equals < 0 ? null : text.substring(equals + 1));
  }

  private int withValue(LongOption option, @Nullable String attached) {
    if (attached != null) {
      if (option.argument() == LongOption.Argument.NONE) {
        complain("option '--" + option.name() + "' doesn't allow an argument");
        return UNKNOWN;
      }
      value = attached;
    } else if (option.argument() == LongOption.Argument.REQUIRED) {
      if (index == arguments.length) {
        complain("option '--" + option.name() + "' requires an argument");
        return missingValue();
      }
      value = arguments[index++];
    }
    return option.code();
  }

  private int missingValue() {
    return quiet ? MISSING_VALUE : UNKNOWN;
  }

  private void complain(String message) {
    if (!quiet) {
      messages.println(program + ": " + message);
    }
  }

  /** The value of the option that {@link #next()} returned last, which has one. */
  public String value() {
    return java.util.Objects.requireNonNull(value, "the option has no value");
  }

  /** The value of the option that {@link #next()} returned last, or null if it has none. */
  public @Nullable String valueOrNull() {
    return value;
  }

  /**
   * The word in front of the scan position, as far as it has come: what messages about the last
   * option quote. In front of the first word that is {@code before}.
   */
  public String lastWord(String before) {
    return index == 0 ? before : arguments[index - 1];
  }

  /** The operands; valid once {@link #next()} has returned {@link #END}. */
  public List<String> operands() {
    return List.of(arguments).subList(index, arguments.length);
  }
}
