package org.tinamou.objects;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** The objects of one program, by their ids. Main loop. */
public final class ObjectRegistry {
  /** What is said of an id that is none. */
  public static final String IDENTIFIER_HINT =
      "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.";

  private static final Pattern IDENTIFIER = Pattern.compile("[a-zA-Z][a-zA-Z0-9._-]*");

  private final Map<String, ObjectType> types = new TreeMap<>();
  private final Map<String, Entry> objects = new LinkedHashMap<>();

  /** An object and what it is. */
  public record Entry(String id, ObjectType type, UserObject object) {}

  /** A registry without objects. */
  public ObjectRegistry(Collection<? extends ObjectType> types) {
    types.forEach(type -> this.types.put(type.name(), type));
  }

  /** A registry that nothing can be defined in. */
  @AnyThread
  public static ObjectRegistry none() {
    return new ObjectRegistry(List.of());
  }

  /**
   * A registry with these secrets by their ids, in which nothing else can be defined.
   *
   * @param values copied
   * @throws OptionException if an id is none
   */
  @AnyThread
  public static ObjectRegistry ofSecrets(Map<String, byte[]> values) throws OptionException {
    ObjectRegistry registry = none();
    for (Map.Entry<String, byte[]> each : values.entrySet()) {
      registry.add(each.getKey(), new SecretType(), new Secret(each.getValue().clone()));
    }
    return registry;
  }

  /** The kinds of objects, by name. */
  @HomeThread
  public List<ObjectType> types() {
    return List.copyOf(types.values());
  }

  /** The kind of that name, or null. */
  @HomeThread
  public @Nullable ObjectType type(String name) {
    return types.get(name);
  }

  /**
   * Defines an object: reads {@code qom-type}, {@code id} and whatever its kind asks for.
   *
   * @throws OptionException with a message for the user; nothing is defined then
   */
  @HomeThread
  public UserObject define(OptionReader options) throws OptionException {
    String kind = options.string("qom-type");
    ObjectType type = types.get(kind);
    if (type == null) {
      throw new OptionException("Parameter 'qom-type' does not accept value '" + kind + "'");
    }
    String id = options.string("id");
    UserObject object = type.create(id, options, this);
    try {
      options.finish();
      add(id, type, object);
    } catch (OptionException e) {
      object.close();
      throw e;
    }
    return object;
  }

  private void add(String id, ObjectType type, UserObject object) throws OptionException {
    if (!IDENTIFIER.matcher(id).matches()) {
      throw new OptionException("Parameter 'id' expects an identifier", IDENTIFIER_HINT);
    }
    if (objects.containsKey(id)) {
      throw new OptionException(
          "attempt to add duplicate property '" + id + "' to object (type 'container')");
    }
    objects.put(id, new Entry(id, type, object));
  }

  /**
   * Removes an object.
   *
   * @throws OptionException if there is none of that name or somebody uses it
   */
  @HomeThread
  public void remove(String id) throws OptionException {
    Entry entry = objects.get(id);
    if (entry == null) {
      throw new OptionException("object '" + id + "' not found");
    }
    if (entry.object().isInUse()) {
      throw new OptionException("object '" + id + "' is in use, can not be deleted");
    }
    objects.remove(id);
    entry.object().close();
  }

  /** All objects in the order of their definition. */
  @HomeThread
  public List<Entry> all() {
    return List.copyOf(objects.values());
  }

  /** The object of that id, or null. */
  @HomeThread
  public @Nullable UserObject find(String id) {
    Entry entry = objects.get(id);
    return entry == null ? null : entry.object();
  }

  /** Removes all objects, the last first. */
  @HomeThread
  public void close() {
    List<Entry> all = all();
    objects.clear();
    all.reversed().forEach(entry -> entry.object().close());
  }
}
