package org.tinamou.qapi;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads typed options by name and remembers which were read, so that what is left over can be
 * refused. The same reading code serves typed JSON, command lines and file names; the {@link Style}
 * says what each accepts and how it complains. Belongs to one thread.
 *
 * <p>All methods that read throw an {@link OptionException} with the message for the user.
 */
public final class OptionReader {
  /** Where options come from. */
  public enum Style {
    /** JSON whose types must fit: QMP, and JSON on a command line. */
    TYPED,
    /** {@code key=value,key=value}, as {@link OptionTree#parse} reads it: all scalars are text. */
    KEY_VALUE,
    /**
     * File names ({@code json:{…}}) and image options: text stands for any type, sizes may have a
     * suffix, names may be dotted, null and empty objects count as not given.
     */
    LOOSE
  }

  /** A place where either a name or an object can stand. */
  public sealed interface Choice {
    /** The name of something that exists. */
    record Named(String name) implements Choice {}

    /** Options in place. */
    record Inline(OptionReader options) implements Choice {}

    /** An explicit null. */
    record None() implements Choice {}
  }

  private final Style style;
  private final OptionSource source;

  /** What stands before a name in messages, e.g. "file.". */
  private final String prefix;

  /** Whether loose words are refused in the words for a node's own options. */
  private final boolean ofNode;

  private final List<OptionReader> readersBelow = new ArrayList<>();
  private final Map<String, OptionReader> objects = new HashMap<>();

  private OptionReader(Style style, OptionSource source, String prefix, boolean ofNode) {
    this.style = style;
    this.source = source;
    this.prefix = prefix;
    this.ofNode = ofNode;
  }

  /** A reader of a tree, which must not change meanwhile. */
  public static OptionReader of(Json.Members options, Style style) {
    OptionSource source =
        style == Style.LOOSE
            ? new OptionSource.Flat(OptionTree.flatten(options))
            : new OptionSource.Nested(options);
    return new OptionReader(style, source, "", true);
  }

  public Style style() {
    return style;
  }

  // ------------------------------------------------------------------------------------ scalars
  //
  // Names may be dotted ("cache.direct"): in trees they lead into objects, in file names they are
  // one name, and both complain with the whole of it.

  /** Whether something is given under the name, a scalar, object or list; does not read it. */
  public boolean has(String name) {
    return source.has(name);
  }

  /** The scalar of a name, or null. A dotted name leads into the objects on the way. */
  private @Nullable Json scalarOrNull(String name) throws OptionException {
    int dot = name.indexOf('.');
    if (dot > 0 && style != Style.LOOSE) {
      OptionReader below = objectOrNull(name.substring(0, dot));
      return below == null ? null : below.scalarOrNull(name.substring(dot + 1));
    }
    Json value = source.take(name);
    boolean structured = value instanceof Json.Members || value instanceof Json.Array;
    if (style == Style.LOOSE && (structured || value instanceof Json.Null)) {
      return null;
    }
    if (style == Style.KEY_VALUE && structured) {
      throw new OptionException("Parameters '" + prefix + name + ".*' are unexpected");
    }
    return value;
  }

  public @Nullable String stringOrNull(String name) throws OptionException {
    Json value = scalarOrNull(name);
    return value == null ? null : OptionScalars.string(style, value, prefix + name);
  }

  public String string(String name) throws OptionException {
    String value = stringOrNull(name);
    if (value == null) {
      throw missing(name);
    }
    return value;
  }

  public @Nullable Boolean boolOrNull(String name) throws OptionException {
    Json value = scalarOrNull(name);
    return value == null ? null : OptionScalars.bool(style, value, prefix + name);
  }

  public boolean bool(String name, boolean fallback) throws OptionException {
    Boolean value = boolOrNull(name);
    return value == null ? fallback : value;
  }

  /** A signed 64-bit number. */
  public @Nullable Long int64OrNull(String name) throws OptionException {
    Json value = scalarOrNull(name);
    return value == null ? null : OptionScalars.int64(style, value, prefix + name);
  }

  public long int64(String name, long fallback) throws OptionException {
    Long value = int64OrNull(name);
    return value == null ? fallback : value;
  }

  /** An unsigned 64-bit number; a negative one counts from 2^64 down. */
  public @Nullable Long uint64OrNull(String name) throws OptionException {
    Json value = scalarOrNull(name);
    return value == null ? null : OptionScalars.uint64(style, value, prefix + name);
  }

  public long uint64(String name, long fallback) throws OptionException {
    Long value = uint64OrNull(name);
    return value == null ? fallback : value;
  }

  /** A number from 0 to 2^32 - 1. */
  public @Nullable Long uint32OrNull(String name) throws OptionException {
    Long value = uint64OrNull(name);
    String alone = style == Style.LOOSE ? name : name.substring(name.lastIndexOf('.') + 1);
    return value == null ? null : OptionScalars.unsigned(value, Integer.SIZE, alone);
  }

  public long uint32(String name, long fallback) throws OptionException {
    Long value = uint32OrNull(name);
    return value == null ? fallback : value;
  }

  /**
   * A number of bytes up to 2^63 - 1: a plain number in typed JSON and on command lines, with or
   * without a suffix in file names.
   */
  public @Nullable Long bytesOrNull(String name) throws OptionException {
    if (style != Style.LOOSE) {
      return notNegative(name, int64OrNull(name));
    }
    Json value = scalarOrNull(name);
    return value == null ? null : OptionScalars.size(style, value, prefix + name);
  }

  private static @Nullable Long notNegative(String name, @Nullable Long value)
      throws OptionException {
    if (value != null && value < 0) {
      throw new OptionException(
          "Parameter '" + name + "' expects a non-negative number below 2^64");
    }
    return value;
  }

  public long bytes(String name, long fallback) throws OptionException {
    Long value = bytesOrNull(name);
    return value == null ? fallback : value;
  }

  /** An unsigned number of bytes, with or without a suffix where it is text. */
  public @Nullable Long sizeOrNull(String name) throws OptionException {
    if (style == Style.TYPED) {
      Json given = scalarOrNull(name);
      return given instanceof Json.Whole(long number)
          ? notNegative(name, number)
          : uint64OrNull(name);
    }
    Json value = scalarOrNull(name);
    return value == null ? null : OptionScalars.size(style, value, prefix + name);
  }

  /** One of several words. */
  public @Nullable String wordOrNull(String name, Collection<String> allowed)
      throws OptionException {
    String value = stringOrNull(name);
    if (value != null && !allowed.contains(value)) {
      throw new OptionException(
          style == Style.LOOSE && ofNode
              ? "invalid parameter value: " + value
              : "Parameter '" + name + "' does not accept value '" + value + "'");
    }
    return value;
  }

  public String word(String name, Collection<String> allowed) throws OptionException {
    String value = wordOrNull(name, allowed);
    if (value == null) {
      throw missing(name);
    }
    return value;
  }

  // --------------------------------------------------------------------------- objects and lists

  /** The reader of the object under a name, or null. {@link #finish} here covers it. */
  public @Nullable OptionReader objectOrNull(String name) throws OptionException {
    OptionReader known = objects.get(name);
    if (known != null) {
      return known;
    }
    OptionSource below = source.objectOrNull(name);
    if (below != null) {
      OptionReader reader = below(below, name, false);
      objects.put(name, reader);
      return reader;
    }
    if (source.take(name) != null && style != Style.LOOSE) {
      throw wrongType(name, "object");
    }
    return null;
  }

  public OptionReader object(String name) throws OptionException {
    OptionReader below = objectOrNull(name);
    if (below == null) {
      throw missing(name);
    }
    return below;
  }

  private OptionReader below(OptionSource below, String path, boolean ofNode) {
    // In file names each level complains for itself.
    String longer = style == Style.LOOSE ? "" : prefix + path + ".";
    OptionReader reader = new OptionReader(style, below, longer, ofNode);
    readersBelow.add(reader);
    return reader;
  }

  /**
   * A name or an object in place, or null if there is neither.
   *
   * @param type what messages call it, e.g. "BlockdevRef"
   */
  public @Nullable Choice choiceOrNull(String name, String type) throws OptionException {
    OptionSource below = source.objectOrNull(name);
    if (below != null) {
      return new Choice.Inline(below(below, name, true));
    }
    return choice(source.take(name), name, type);
  }

  public Choice choice(String name, String type) throws OptionException {
    Choice value = choiceOrNull(name, type);
    if (value == null) {
      throw missing(name);
    }
    return value;
  }

  private @Nullable Choice choice(@Nullable Json value, String name, String type)
      throws OptionException {
    return switch (value) {
      case null -> null;
      case Json.Text(String text) -> new Choice.Named(text);
      case Json.Null _ when type.endsWith("OrNull") || style == Style.LOOSE -> new Choice.None();
      default -> {
        if (style == Style.LOOSE) {
          yield null;
        }
        throw wrongType(name, type);
      }
    };
  }

  /**
   * A list of names or objects in place; empty if none is given.
   *
   * @param type what messages call an element, e.g. "BlockdevRef"
   */
  public List<Choice> choices(String name, String type) throws OptionException {
    List<Choice> all = new ArrayList<>();
    for (OptionSource.Element element : elements(name)) {
      OptionSource below = element.objectOrNull();
      if (below != null) {
        all.add(new Choice.Inline(below(below, elementName(name, all.size()), true)));
      } else {
        // An element has no name of its own: that is how the reference calls it.
        Choice choice = choice(element.value(), "null", type);
        if (choice != null) {
          all.add(choice);
        }
      }
    }
    return all;
  }

  /** Readers of a list of objects; empty if there is no list. */
  public List<OptionReader> objects(String name) throws OptionException {
    List<OptionReader> all = new ArrayList<>();
    for (OptionSource.Element element : elements(name)) {
      OptionSource below = element.objectOrNull();
      String elementName = elementName(name, all.size());
      if (below == null) {
        throw wrongType(elementName, "object");
      }
      all.add(below(below, elementName, false));
    }
    return all;
  }

  /** A list of strings; empty if there is no list. */
  public List<String> strings(String name) throws OptionException {
    List<String> all = new ArrayList<>();
    for (OptionSource.Element element : elements(name)) {
      if (!(element.value() instanceof Json.Text(String text))) {
        throw wrongType(elementName(name, all.size()), "string");
      }
      all.add(text);
    }
    return all;
  }

  private List<OptionSource.Element> elements(String name) throws OptionException {
    List<OptionSource.Element> elements = source.elementsOrNull(name);
    if (elements != null) {
      return elements;
    }
    if (style == Style.LOOSE ? source.hasBelow(name) : source.take(name) != null) {
      throw style == Style.LOOSE
          ? new OptionException("Option " + name + " is not a valid array")
          : wrongType(name, "array");
    }
    return List.of();
  }

  private String elementName(String name, int index) {
    return style == Style.TYPED ? name + "[" + index + "]" : name + "." + index;
  }

  /** All that is given here and below, read or not: scalars by their dotted names, in order. */
  public Map<String, Json> flat() {
    return source.flat();
  }

  // ------------------------------------------------------------------------------- what is left

  /** The names at this level that nobody has read, dotted in file names, in the order given. */
  public List<String> unread() {
    return source.unread();
  }

  /** Refuses what nobody has read, here and in the objects that were read from here. */
  public void finish() throws OptionException {
    for (OptionReader below : readersBelow) {
      below.finish();
    }
    List<String> left = unread();
    if (!left.isEmpty()) {
      throw new OptionException("Parameter '" + prefix + left.getFirst() + "' is unexpected");
    }
  }

  private OptionException missing(String name) {
    return new OptionException("Parameter '" + prefix + name + "' is missing");
  }

  private OptionException wrongType(String name, String expected) {
    String full = name.equals("null") ? name : prefix + name;
    return OptionScalars.wrongType(full, expected);
  }
}
