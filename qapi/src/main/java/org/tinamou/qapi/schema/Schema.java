package org.tinamou.qapi.schema;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader.Style;
import org.tinamou.qapi.OptionTree;

/**
 * Every command, event and type that clients can use. Made once when a program starts and shared by
 * all threads afterwards.
 *
 * <p>From text to handler: a monitor calls {@link CommandSchema#check} or {@link
 * CommandSchema#read}, a command line {@link #options} (for {@code --blockdev}, {@code --object},
 * {@code --export} and their like). Both give the same typed values, in the schema's order, so that
 * one handler serves both: it reads them with an {@link org.tinamou.qapi.OptionReader} of style
 * {@link Style#TYPED}.
 */
public final class Schema {
  /** The files, in the order in which introspection tells of their commands. */
  private static final List<String> THEMES =
      List.of(
          "machine",
          "blocks",
          "jobs",
          "transactions",
          "nodes",
          "images",
          "exports",
          "chardevs",
          "control",
          "objects",
          "sockets");

  private final Map<String, Type> types;
  private final Map<String, CommandSchema> commands;
  private final Map<String, EventSchema> events;

  private Schema(List<SchemaText.Definition> definitions) {
    SchemaLinker linker = new SchemaLinker(definitions);
    types = linker.types();
    commands = linker.commands();
    events = linker.events();
  }

  /** The schema of this program. */
  public static Schema load() {
    List<SchemaText.Definition> all = new ArrayList<>();
    for (String theme : THEMES) {
      String file = theme + ".schema";
      try (InputStream in = Schema.class.getResourceAsStream(file)) {
        Check.state(in != null, "%s is missing", file);
        byte[] bytes = in == null ? new byte[0] : in.readAllBytes();
        all.addAll(SchemaText.read(file, new String(bytes, StandardCharsets.UTF_8)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return new Schema(all);
  }

  /**
   * A schema of one's own.
   *
   * @throws IllegalArgumentException saying where it is wrong
   */
  public static Schema parse(String text) {
    return new Schema(SchemaText.read("schema", text));
  }

  public @Nullable CommandSchema command(String name) {
    return commands.get(name);
  }

  public @Nullable EventSchema event(String name) {
    return events.get(name);
  }

  /** A type by the name that schema files give it, or null. */
  public @Nullable Type type(String name) {
    return types.get(name);
  }

  /** In the schema's order. */
  public Collection<CommandSchema> commands() {
    return Collections.unmodifiableCollection(commands.values());
  }

  /** In the schema's order. */
  public Collection<EventSchema> events() {
    return Collections.unmodifiableCollection(events.values());
  }

  // --------------------------------------------------------------------------- text to values

  /**
   * Options of a command line as the object they stand for, each of the type it must have, in the
   * schema's order.
   *
   * @param type the object's type, e.g. "BlockdevOptions"
   * @param text JSON if it starts with a brace, else {@code key=value,key.key=value}
   * @param impliedKey the key of a first value that is written without one, or null if there is
   *     none
   * @throws OptionException with the message for the user
   */
  public Json.Members options(String type, String text, @Nullable String impliedKey)
      throws OptionException {
    if (!text.startsWith("{")) {
      return check(type, OptionTree.parse(text, impliedKey).options(), Style.KEY_VALUE);
    }
    return switch (JsonParser.parse(text)) {
      case Parsed.Value<Json>(Json.Members members) -> check(type, members, Style.TYPED);
      case Parsed.Value<Json> _ -> throw new OptionException("JSON object expected");
      case Parsed.Malformed<Json> malformed -> throw new OptionException(malformed.message());
    };
  }

  /** As {@link #options}, of values that were read before. */
  public Json.Members check(String type, Json.Members given, Style style) throws OptionException {
    if (types.get(type) instanceof Type.ObjectType object) {
      return InputCheck.object(object, given, style);
    }
    throw new IllegalArgumentException("'" + type + "' is no object");
  }

  /**
   * A command's reply with all members in the schema's order.
   *
   * @throws OptionException if there is no such command, or its reply is not what the schema
   *     promises
   */
  public Json checkReply(String command, Json reply) throws OptionException {
    CommandSchema known = commands.get(command);
    if (known == null) {
      throw new OptionException("The schema has no command '" + command + "'");
    }
    return known.checkReply(reply);
  }

  /** As {@link #checkReply} for the data of an event. */
  public Json.Members checkEvent(String event, Json.Members data) throws OptionException {
    EventSchema known = events.get(event);
    if (known == null) {
      throw new OptionException("The schema has no event '" + event + "'");
    }
    return known.check(data);
  }

  // ----------------------------------------------------------------------------- introspection

  /**
   * The reply of {@code query-qmp-schema}.
   *
   * @param offered says of a command's or event's name whether a program has it
   */
  public Json.Array introspect(Predicate<String> offered) {
    return Introspection.of(
        commands.values().stream().filter(command -> offered.test(command.name())).toList(),
        events.values().stream().filter(event -> offered.test(event.name())).toList());
  }

  /** The reply of {@code query-commands}: the last command of the schema comes first. */
  public Json.Array commandNames(Predicate<String> offered) {
    Json.Array names = new Json.Array();
    for (CommandSchema command : new ArrayList<>(commands.values()).reversed()) {
      if (offered.test(command.name())) {
        names.add(new Json.Members().put("name", command.name()));
      }
    }
    return names;
  }
}
