package org.tinamou.qapi.schema;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;

/** Turns definitions as written into types, commands and events; every name must lead somewhere. */
final class SchemaLinker {
  /** What has no members. */
  static final Type.ObjectType NOTHING = new Type.ObjectType("nothing", List.of());

  private final Map<String, SchemaText.Definition.ObjectText> objects = new HashMap<>();
  private final Map<String, Type> types = new LinkedHashMap<>();
  private final Map<String, CommandSchema> commands = new LinkedHashMap<>();
  private final Map<String, EventSchema> events = new LinkedHashMap<>();
  private final Set<String> linked = new HashSet<>();

  SchemaLinker(List<SchemaText.Definition> definitions) {
    for (Type.Builtin builtin : Type.Builtin.values()) {
      types.put(builtin.toString(), builtin);
    }
    for (SchemaText.Definition definition : definitions) {
      declare(definition);
    }
    for (SchemaText.Definition definition : definitions) {
      link(definition);
    }
  }

  Map<String, Type> types() {
    return types;
  }

  Map<String, CommandSchema> commands() {
    return commands;
  }

  Map<String, EventSchema> events() {
    return events;
  }

  // No switches over types here: linking one takes longer than reading the whole schema.

  /** So that types can name each other in circles. */
  private void declare(SchemaText.Definition definition) {
    Type type;
    if (definition instanceof SchemaText.Definition.EnumText text) {
      type = new Type.EnumType(text.name(), List.copyOf(text.values()), text.features());
    } else if (definition instanceof SchemaText.Definition.ObjectText text) {
      objects.put(text.name(), text);
      type = new Type.ObjectType(text.name(), text.features());
    } else if (definition instanceof SchemaText.Definition.AlternateText text) {
      type = new Type.AlternateType(text.name(), text.features());
    } else {
      return;
    }
    Check.argument(types.put(type.name(), type) == null, "type '%s' is defined twice", type.name());
  }

  private void link(SchemaText.Definition definition) {
    String name = definition.name();
    if (definition instanceof SchemaText.Definition.ObjectText) {
      object(name);
    } else if (definition instanceof SchemaText.Definition.AlternateText text) {
      ((Type.AlternateType) type(name, name)).define(members(text.branches(), name));
    } else if (definition instanceof SchemaText.Definition.CommandText text) {
      command(text);
    } else if (definition instanceof SchemaText.Definition.EventText text) {
      Type.ObjectType data = arguments(text.data(), name);
      EventSchema event = new EventSchema(name, data, text.features(), text.summary());
      Check.argument(events.put(name, event) == null, "event '%s' is defined twice", name);
    }
  }

  private void command(SchemaText.Definition.CommandText text) {
    String name = text.name();
    SchemaText.TypeText reply = text.reply();
    CommandSchema command =
        new CommandSchema(
            name,
            arguments(text.arguments(), name),
            reply == null ? null : type(reply, name),
            text.features(),
            text.outOfBand(),
            text.summary());
    Check.argument(commands.put(name, command) == null, "command '%s' is defined twice", name);
  }

  /** The object of that name, with its members. */
  private Type.ObjectType object(String name) {
    SchemaText.Definition.ObjectText text = objects.get(name);
    Check.argument(text != null, "'%s' is no object", name);
    Type.ObjectType type = (Type.ObjectType) type(name, name);
    if (text == null || !linked.add(name)) {
      return type;
    }
    List<Type.Member> members = new ArrayList<>();
    if (text.base() != null) {
      members.addAll(object(text.base()).members());
    }
    members.addAll(members(text.members(), name));
    Type.Member tag = null;
    for (Type.Member member : members) {
      if (member.name().equals(text.tag())) {
        tag = member;
      }
    }
    Check.argument((tag == null) == (text.tag() == null), "'%s' has no such tag", name);
    type.define(members, tag, cases(text.cases(), tag, name));
    return type;
  }

  private List<Type.ObjectType.Case> cases(
      List<SchemaText.CaseText> texts, Type.@Nullable Member tag, String name) {
    List<Type.ObjectType.Case> cases = new ArrayList<>();
    if (tag == null) {
      Check.argument(texts.isEmpty(), "'%s' has cases without a tag", name);
      return cases;
    }
    Check.argument(tag.type() instanceof Type.EnumType, "the tag of '%s' is no enum", name);
    Type.EnumType words = (Type.EnumType) tag.type();
    Set<String> seen = new HashSet<>();
    for (SchemaText.CaseText text : texts) {
      Type.ObjectType type = arguments(text.type(), name);
      for (String value : text.tagValues()) {
        Check.argument(
            words.has(value) && seen.add(value), "'%s' has a wrong case '%s'", name, value);
        cases.add(new Type.ObjectType.Case(value, type));
      }
    }
    for (Type.EnumType.Value value : words.values()) {
      if (!seen.contains(value.name())) {
        cases.add(new Type.ObjectType.Case(value.name(), NOTHING));
      }
    }
    return cases;
  }

  /** What must be an object: a named one, or members in place. */
  private Type.ObjectType arguments(SchemaText.TypeText text, String user) {
    if (text instanceof SchemaText.TypeText.Named named) {
      return object(named.name());
    }
    Check.argument(
        text instanceof SchemaText.TypeText.Inline, "'%s' has a list for an object", user);
    List<SchemaText.MemberText> members = ((SchemaText.TypeText.Inline) text).members();
    if (members.isEmpty()) {
      return NOTHING;
    }
    Type.ObjectType type = new Type.ObjectType("members of " + user, List.of());
    type.define(members(members, user), null, List.of());
    return type;
  }

  private List<Type.Member> members(List<SchemaText.MemberText> texts, String user) {
    List<Type.Member> members = new ArrayList<>(texts.size());
    for (SchemaText.MemberText text : texts) {
      Type type = type(text.type(), user);
      members.add(new Type.Member(text.name(), type, text.optional(), text.features()));
    }
    return members;
  }

  private Type type(SchemaText.TypeText text, String user) {
    if (text instanceof SchemaText.TypeText.Named named) {
      return type(named.name(), user);
    }
    if (text instanceof SchemaText.TypeText.ListOf list) {
      return new Type.ListType(type(list.element(), user));
    }
    return arguments(text, user);
  }

  private Type type(String name, String user) {
    Type type = types.get(name);
    if (type == null) {
      throw new IllegalArgumentException("'" + user + "' names an unknown type '" + name + "'");
    }
    return type;
  }
}
