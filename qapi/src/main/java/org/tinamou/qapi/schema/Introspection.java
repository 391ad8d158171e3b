package org.tinamou.qapi.schema;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.tinamou.qapi.Json;

/**
 * Describes commands, events and all types they use. Names of types are no contract: types are
 * numbered in the order in which they are met, and whole numbers of all widths are one.
 */
final class Introspection {
  private final Json.Array entries = new Json.Array();
  private final IdentityHashMap<Type, String> names = new IdentityHashMap<>();
  private final Set<String> listed = new HashSet<>();
  private final Deque<Type> pending = new ArrayDeque<>();
  private int objects;

  private Introspection() {}

  static Json.Array of(Iterable<CommandSchema> commands, Iterable<EventSchema> events) {
    Introspection introspection = new Introspection();
    commands.forEach(introspection::command);
    events.forEach(introspection::event);
    Type next = introspection.pending.poll();
    while (next != null) {
      introspection.type(next);
      next = introspection.pending.poll();
    }
    return introspection.entries;
  }

  private void command(CommandSchema command) {
    Type reply = command.reply();
    Json.Members entry = new Json.Members();
    entry.put("name", command.name());
    entry.put("meta-type", "command");
    features(entry, command.features());
    entry.put("arg-type", name(command.arguments()));
    entry.put("ret-type", reply == null ? name(SchemaLinker.NOTHING) : name(reply));
    if (command.outOfBand()) {
      entry.put("allow-oob", true);
    }
    entries.add(entry);
  }

  private void event(EventSchema event) {
    Json.Members entry = new Json.Members();
    entry.put("name", event.name());
    entry.put("meta-type", "event");
    features(entry, event.features());
    entry.put("arg-type", name(event.data()));
    entries.add(entry);
  }

  private void type(Type type) {
    Json.Members entry = new Json.Members();
    entry.put("name", name(type));
    switch (type) {
      case Type.Builtin builtin -> {
        entry.put("meta-type", "builtin");
        entry.put("json-type", builtin.jsonType());
      }
      case Type.EnumType words -> {
        entry.put("meta-type", "enum");
        features(entry, words.features());
        values(entry, words);
      }
      case Type.ListType list -> {
        entry.put("meta-type", "array");
        entry.put("element-type", name(list.element()));
      }
      case Type.ObjectType object -> {
        entry.put("meta-type", "object");
        features(entry, object.features());
        object(entry, object);
      }
      case Type.AlternateType alternate -> {
        entry.put("meta-type", "alternate");
        features(entry, alternate.features());
        Json.Array branches = new Json.Array();
        for (Type.Member branch : alternate.branches()) {
          branches.add(new Json.Members().put("type", name(branch.type())));
        }
        entry.put("members", branches);
      }
    }
    entries.add(entry);
  }

  private void object(Json.Members entry, Type.ObjectType object) {
    Json.Array members = new Json.Array();
    for (Type.Member member : object.members()) {
      Json.Members each = new Json.Members().put("name", member.name());
      each.put("type", name(member.type()));
      if (member.optional()) {
        each.put("default", new Json.Null());
      }
      features(each, member.features());
      members.add(each);
    }
    entry.put("members", members);
    Type.Member tag = object.tag();
    if (tag != null) {
      Json.Array variants = new Json.Array();
      for (Type.ObjectType.Case each : object.cases()) {
        Json.Members variant = new Json.Members().put("case", each.tagValue());
        variants.add(variant.put("type", name(each.type())));
      }
      entry.put("tag", tag.name());
      entry.put("variants", variants);
    }
  }

  private static void values(Json.Members entry, Type.EnumType words) {
    Json.Array members = new Json.Array();
    Json.Array values = new Json.Array();
    for (Type.EnumType.Value value : words.values()) {
      Json.Members member = new Json.Members().put("name", value.name());
      features(member, value.features());
      members.add(member);
      values.add(new Json.Text(value.name()));
    }
    entry.put("members", members);
    entry.put("values", values);
  }

  private static void features(Json.Members entry, List<String> features) {
    if (!features.isEmpty()) {
      Json.Array all = new Json.Array();
      features.forEach(feature -> all.add(new Json.Text(feature)));
      entry.put("features", all);
    }
  }

  private String name(Type type) {
    return switch (type) {
      case Type.Builtin builtin when builtin.jsonType().equals("int") ->
          listed(Type.Builtin.INT, "int");
      case Type.Builtin builtin -> listed(builtin, builtin.toString());
      case Type.ListType list -> listed(list, "[" + name(list.element()) + "]");
      case Type.EnumType _, Type.ObjectType _, Type.AlternateType _ -> numbered(type);
    };
  }

  private String listed(Type type, String name) {
    if (listed.add(name)) {
      pending.add(type);
    }
    return name;
  }

  private String numbered(Type type) {
    String known = names.get(type);
    if (known != null) {
      return known;
    }
    String number = Integer.toString(objects++);
    names.put(type, number);
    pending.add(type);
    return number;
  }
}
