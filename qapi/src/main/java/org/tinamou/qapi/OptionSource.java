package org.tinamou.qapi;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The options of one level, and which of them were taken. */
sealed interface OptionSource {
  /** An element of a list: a value, or an object's options. */
  record Element(@Nullable Json value, @Nullable OptionSource objectOrNull) {}

  boolean has(String name);

  /** Whether anything is given below the name. */
  boolean hasBelow(String name);

  /** What stands under the name itself, or null. */
  @Nullable Json take(String name);

  /** What stands below the name as an object, or null. */
  @Nullable OptionSource objectOrNull(String name);

  /** What stands below the name as a list, or null. */
  @Nullable List<Element> elementsOrNull(String name);

  List<String> unread();

  /** All scalars by their dotted names. */
  Map<String, Json> flat();

  /** A tree of which each level is read apart. */
  final class Nested implements OptionSource {
    private final Map<String, Json> members;
    private final Set<String> taken = new LinkedHashSet<>();

    Nested(Json.Members members) {
      this.members = members.members();
    }

    @Override
    public boolean has(String name) {
      int dot = name.indexOf('.');
      if (dot > 0 && members.get(name.substring(0, dot)) instanceof Json.Members below) {
        return new Nested(below).has(name.substring(dot + 1));
      }
      return members.containsKey(name);
    }

    @Override
    public boolean hasBelow(String name) {
      Json value = members.get(name);
      return value instanceof Json.Members || value instanceof Json.Array;
    }

    @Override
    public @Nullable Json take(String name) {
      taken.add(name);
      return members.get(name);
    }

    @Override
    public @Nullable OptionSource objectOrNull(String name) {
      return take(name) instanceof Json.Members below ? new Nested(below) : null;
    }

    @Override
    public @Nullable List<Element> elementsOrNull(String name) {
      if (!(take(name) instanceof Json.Array array)) {
        return null;
      }
      return array.elements().stream().map(Nested::element).toList();
    }

    private static Element element(Json value) {
      return value instanceof Json.Members below
          ? new Element(null, new Nested(below))
          : new Element(value, null);
    }

    @Override
    public List<String> unread() {
      return members.keySet().stream().filter(name -> !taken.contains(name)).toList();
    }

    @Override
    public Map<String, Json> flat() {
      Json.Members all = new Json.Members();
      members.forEach(all::put);
      return OptionTree.flatten(all);
    }
  }

  /** Dotted names, of which those with a common prefix are the level below. */
  final class Flat implements OptionSource {
    private final Map<String, Json> values;
    private final Set<String> taken = new LinkedHashSet<>();

    Flat(Map<String, Json> values) {
      this.values = values;
    }

    @Override
    public boolean has(String name) {
      return values.containsKey(name) || hasBelow(name);
    }

    @Override
    public boolean hasBelow(String name) {
      return values.keySet().stream().anyMatch(key -> key.startsWith(name + "."));
    }

    @Override
    public @Nullable Json take(String name) {
      taken.add(name);
      return values.get(name);
    }

    private Map<String, Json> takeBelow(String name) {
      Map<String, Json> below = new LinkedHashMap<>();
      values.forEach(
          (key, value) -> {
            if (key.startsWith(name + ".")) {
              taken.add(key);
              below.put(key.substring(name.length() + 1), value);
            }
          });
      return below;
    }

    @Override
    public @Nullable OptionSource objectOrNull(String name) {
      Map<String, Json> below = takeBelow(name);
      return below.isEmpty() ? null : new Flat(below);
    }

    @Override
    public @Nullable List<Element> elementsOrNull(String name) {
      Map<String, Json> below = takeBelow(name);
      if (below.isEmpty()) {
        return null;
      }
      Flat level = new Flat(below);
      List<Element> elements = new ArrayList<>();
      for (int i = 0; level.has(Integer.toString(i)); i++) {
        String index = Integer.toString(i);
        elements.add(new Element(level.take(index), level.objectOrNull(index)));
      }
      return level.unread().isEmpty() ? elements : null;
    }

    @Override
    public List<String> unread() {
      return values.keySet().stream().filter(name -> !taken.contains(name)).toList();
    }

    @Override
    public Map<String, Json> flat() {
      return new LinkedHashMap<>(values);
    }
  }
}
