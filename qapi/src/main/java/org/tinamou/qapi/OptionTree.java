package org.tinamou.qapi;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Options as a tree, and its two flat forms: {@code file.driver=raw,list.0=x} on a command line,
 * and a map from dotted names to values. All is confined to the caller.
 */
public final class OptionTree {
  private static final int MAX_FRAGMENT_LENGTH = 127;

  /** A name as schemas have it, or the index of a list element. */
  private static final Pattern FRAGMENT =
      Pattern.compile("(?:__[a-zA-Z0-9.-]+_)?[a-zA-Z][a-zA-Z0-9_-]*|[0-9]+");

  private OptionTree() {}

  /**
   * What a command line's option says.
   *
   * @param options the tree; every leaf is a {@link Json.Text}
   * @param asksForHelp whether {@code help} or {@code ?} stood among the options
   */
  public record Written(Json.Members options, boolean asksForHelp) {}

  // ------------------------------------------------------------------------- key=value,key=value

  /**
   * Reads {@code key=value,key=value}. A dot in a key leads one level down, a number is an index; a
   * comma in a value is doubled; of several equal keys the last one counts.
   *
   * @param impliedKey the key of a first value that is written without one, or null if there is
   *     none
   * @throws OptionException with the message for the user
   */
  public static Written parse(String text, @Nullable String impliedKey) throws OptionException {
    Json.Members root = new Json.Members();
    boolean help = false;
    int position = 0;
    while (position < text.length()) {
      int end = position;
      while (end < text.length() && text.charAt(end) != '=' && text.charAt(end) != ',') {
        end++;
      }
      String key = text.substring(position, end);
      boolean hasValue = end < text.length() && text.charAt(end) == '=';
      if (!hasValue && (key.equals("help") || key.equals("?"))) {
        help = true;
        position = end + 1;
      } else if (!hasValue && position == 0 && impliedKey != null && end > 0) {
        put(root, impliedKey, new Json.Text(key));
        position = end + 1;
      } else {
        List<String> path = fragments(key);
        if (!hasValue) {
          throw new OptionException("Expected '=' after parameter '" + key + "'");
        }
        StringBuilder value = new StringBuilder();
        position = OptionList.readValue(text, end + 1, value);
        put(root, path, new Json.Text(value.toString()));
      }
    }
    return new Written(withListsBelow(root, ""), help);
  }

  private static List<String> fragments(String key) throws OptionException {
    List<String> path = new java.util.ArrayList<>();
    Matcher matcher = FRAGMENT.matcher(key);
    int position = 0;
    while (true) {
      matcher.region(position, key.length());
      if (!matcher.lookingAt() || (path.isEmpty() && isIndex(matcher.group()))) {
        throw new OptionException("Invalid parameter '" + key + "'");
      }
      position = matcher.end();
      if (position < key.length() && key.charAt(position) != '.') {
        throw new OptionException("Invalid parameter '" + key + "'");
      }
      String fragment = matcher.group();
      if (fragment.length() > MAX_FRAGMENT_LENGTH) {
        String what = fragment.equals(key) ? "Parameter" : "Parameter fragment";
        throw new OptionException(what + " '" + fragment + "' is too long");
      }
      path.add(fragment);
      if (position == key.length()) {
        return path;
      }
      position++;
    }
  }

  private static boolean isIndex(String fragment) {
    return !fragment.isEmpty() && fragment.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private static void put(Json.Members root, String key, Json value) throws OptionException {
    put(root, List.of(key.split("\\.", -1)), value);
  }

  private static void put(Json.Members root, List<String> path, Json value) throws OptionException {
    Json.Members members = root;
    for (int depth = 0; depth < path.size() - 1; depth++) {
      Json below = members.members().get(path.get(depth));
      if (below == null) {
        Json.Members created = new Json.Members();
        members.put(path.get(depth), created);
        members = created;
      } else if (below instanceof Json.Members found) {
        members = found;
      } else {
        throw inconsistent(String.join(".", path.subList(0, depth + 1)));
      }
    }
    String last = path.get(path.size() - 1);
    if (members.members().get(last) instanceof Json.Members) {
      throw inconsistent(String.join(".", path));
    }
    members.put(last, value);
  }

  private static OptionException inconsistent(String prefix) {
    return new OptionException("Parameters '" + prefix + ".*' used inconsistently");
  }

  private static Json.Members withListsBelow(Json.Members members, String prefix)
      throws OptionException {
    Json.Members result = new Json.Members();
    for (Map.Entry<String, Json> member : members.members().entrySet()) {
      Json value = member.getValue();
      if (value instanceof Json.Members below) {
        value = withLists(below, prefix + member.getKey());
      }
      result.put(member.getKey(), value);
    }
    return result;
  }

  /** The tree with each object whose names are all indexes turned into a list. */
  private static Json withLists(Json.Members members, String name) throws OptionException {
    Json.Members result = withListsBelow(members, name + ".");
    long indexes = result.members().keySet().stream().filter(OptionTree::isIndex).count();
    if (indexes == 0) {
      return result;
    }
    if (indexes < result.members().size()) {
      throw inconsistent(name);
    }
    return list(result, name);
  }

  private static Json.Array list(Json.Members members, String name) throws OptionException {
    // "0" and "00" are the same index; the later one counts.
    Map<String, Json> elements = new LinkedHashMap<>();
    members
        .members()
        .forEach((key, value) -> elements.put(key.replaceFirst("^0+(?=.)", ""), value));
    Json.Array array = new Json.Array();
    for (int i = 0; i < elements.size(); i++) {
      Json element = elements.get(Integer.toString(i));
      if (element == null) {
        throw new OptionException("Parameter '" + name + "." + i + "' missing");
      }
      array.add(element);
    }
    return array;
  }

  /**
   * Writes a tree so that {@link #parse} reads it back, every scalar as text. Empty objects and
   * lists and null cannot be written and are left out.
   */
  public static String write(Json.Members options) {
    StringBuilder text = new StringBuilder();
    flatten(options)
        .forEach(
            (key, value) -> {
              String scalar = scalarText(value);
              if (scalar != null) {
                text.append(text.isEmpty() ? "" : ",").append(key).append('=');
                text.append(scalar.replace(",", ",,"));
              }
            });
    return text.toString();
  }

  /** A scalar as it is written on a command line; null for what is none. */
  static @Nullable String scalarText(Json value) {
    return switch (value) {
      case Json.Text(String text) -> text;
      case Json.Bool(boolean bool) -> bool ? "on" : "off";
      case Json.Whole _, Json.Unsigned _, Json.Real _ -> JsonWriter.compact(value);
      case Json.Null _, Json.Array _, Json.Members _ -> null;
    };
  }

  // --------------------------------------------------------------------------- dotted name ->
  // value

  /**
   * The scalars of a tree by their dotted names, in order; an empty object or list stands under its
   * own name.
   */
  public static Map<String, Json> flatten(Json.Members options) {
    Map<String, Json> flat = new LinkedHashMap<>();
    options.members().forEach((key, value) -> flatten(key, value, flat));
    return flat;
  }

  private static void flatten(String name, Json value, Map<String, Json> flat) {
    switch (value) {
      case Json.Members members when !members.members().isEmpty() ->
          members.members().forEach((key, below) -> flatten(name + "." + key, below, flat));
      case Json.Array array when !array.elements().isEmpty() -> {
        int index = 0;
        for (Json element : array.elements()) {
          flatten(name + "." + index++, element, flat);
        }
      }
      default -> flat.put(name, value);
    }
  }

  /**
   * The tree of dotted names, the reverse of {@link #flatten}.
   *
   * @throws OptionException if a name is both a value and a prefix, or names and indexes are mixed
   */
  public static Json.Members nest(Map<String, Json> flat) throws OptionException {
    Json.Members root = new Json.Members();
    for (Map.Entry<String, Json> entry : flat.entrySet()) {
      put(root, entry.getKey(), entry.getValue());
    }
    return withListsBelow(root, "");
  }
}
