package org.tinamou.qapi;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The options something accepts, in the order in which they are reported, and the way from written
 * options to checked values.
 */
public final class OptionSchema {
  /** What an option's text must be. */
  public enum Type {
    STRING("str"),
    BOOLEAN("bool (on/off)"),
    NUMBER("num"),
    SIZE("size");

    private final String label;

    Type(String label) {
      this.label = label;
    }
  }

  /**
   * One option.
   *
   * @param reported the value that reports show where none was given, or null
   * @param listed whether help shows it; what the reference has not is left out there
   */
  public record Option(
      String name, Type type, String help, @Nullable String reported, boolean listed) {
    /** One of which reports show nothing unless it was given. */
    public Option(String name, Type type, String help) {
      this(name, type, help, null, true);
    }

    public static Option string(String name, String help) {
      return new Option(name, Type.STRING, help);
    }

    public static Option bool(String name, String help) {
      return new Option(name, Type.BOOLEAN, help);
    }

    public static Option number(String name, String help) {
      return new Option(name, Type.NUMBER, help);
    }

    public static Option size(String name, String help) {
      return new Option(name, Type.SIZE, help);
    }

    /** This with the value that reports show where none was given. */
    public Option reportedAs(String value) {
      return new Option(name, type, help, value, listed);
    }

    /** This without a line in help. */
    public Option unlisted() {
      return new Option(name, type, help, reported, false);
    }
  }

  private static final String SIZE_HINT =
      """
      Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-
      and exabytes, respectively.\
      """;

  private final Map<String, Option> options = new LinkedHashMap<>();

  /** A later option replaces an earlier one of the same name. */
  public OptionSchema(List<Option> options) {
    for (Option option : options) {
      this.options.put(option.name(), option);
    }
  }

  /** This schema with the options of another behind its own. */
  public OptionSchema and(OptionSchema other) {
    List<Option> all = new ArrayList<>(options.values());
    for (Option option : other.options.values()) {
      if (!options.containsKey(option.name())) {
        all.add(option);
      }
    }
    return new OptionSchema(all);
  }

  public boolean accepts(String name) {
    return options.containsKey(name);
  }

  /** The names of all options. */
  public List<String> names() {
    return List.copyOf(options.keySet());
  }

  /** Checks written options; of several with the same key the last one counts. */
  public OptionValues parse(String text) throws OptionException {
    Map<String, String> values = OptionList.values(text);
    for (Map.Entry<String, String> entry : values.entrySet()) {
      Option option = options.get(entry.getKey());
      if (option == null) {
        throw new OptionException("Invalid parameter '" + entry.getKey() + "'");
      }
      check(option, entry.getValue());
    }
    return new OptionValues(this, values);
  }

  private static void check(Option option, String value) throws OptionException {
    switch (option.type()) {
      case STRING -> {}
      case BOOLEAN -> bool(option.name(), value);
      case NUMBER -> number(option.name(), value);
      case SIZE -> size(option.name(), value);
    }
  }

  static boolean bool(String name, String value) throws OptionException {
    return switch (value) {
      case "on", "yes", "true", "y" -> true;
      case "off", "no", "false", "n" -> false;
      default -> throw new OptionException("Parameter '" + name + "' expects 'on' or 'off'");
    };
  }

  static long number(String name, String value) throws OptionException {
    if (value.startsWith("-") && value.length() > 1 && Character.isDigit(value.charAt(1))) {
      return -number(name, value.substring(1)); // taken for a very large one, as C does
    }
    try {
      if (value.startsWith("0x") || value.startsWith("0X")) {
        return Long.parseUnsignedLong(value.substring(2), 16);
      }
      return Long.parseUnsignedLong(value, value.startsWith("0") && value.length() > 1 ? 8 : 10);
    } catch (NumberFormatException e) {
      throw new OptionException("Parameter '" + name + "' expects a number");
    }
  }

  static long size(String name, String value) throws OptionException {
    return switch (SizeText.parse(value)) {
      case SizeText.Result.Size(long bytes, String _) -> bytes;
      case SizeText.Result.TooLarge() ->
          throw new OptionException(
              "Value '" + value + "' is out of range for parameter '" + name + "'");
      case SizeText.Result.NotASize() ->
          throw new OptionException(
              "Parameter '" + name + "' expects a non-negative number below 2^64", SIZE_HINT);
    };
  }

  /** The text for a checked value, as reports show it: numbers from 2^63 on come out negative. */
  static String shown(@Nullable Option option, String value) throws OptionException {
    if (option == null) {
      return value;
    }
    return switch (option.type()) {
      case SIZE -> Long.toString(size(option.name(), value));
      case NUMBER -> Long.toString(number(option.name(), value));
      case STRING -> value.replace(",", ",,");
      case BOOLEAN -> value;
    };
  }

  List<Option> options() {
    return List.copyOf(options.values());
  }

  /** One line for each option, by name. */
  public List<String> help() {
    return options.values().stream()
        .filter(Option::listed)
        .sorted(Comparator.comparing(Option::name))
        .map(OptionSchema::helpLine)
        .toList();
  }

  private static String helpLine(Option option) {
    String head = "  " + option.name() + "=<" + option.type().label + ">";
    return head + " ".repeat(Math.max(0, 24 - head.length())) + " - " + option.help();
  }
}
