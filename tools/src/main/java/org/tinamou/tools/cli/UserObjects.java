package org.tinamou.tools.cli;

import java.util.List;
import org.tinamou.base.Parsed;
import org.tinamou.daemon.object.ObjectTypes;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionTree;

/** The objects that {@code --object} defines, by their identifiers. Belongs to one command. */
public final class UserObjects {
  private final ObjectRegistry registry;

  /** Of a tool for one image. */
  public UserObjects() {
    this(new ObjectRegistry(ObjectTypes.ofTools()));
  }

  /** Of a program with kinds of objects of its own. */
  public UserObjects(ObjectRegistry registry) {
    this.registry = registry;
  }

  /**
   * Defines one.
   *
   * @param definition {@code type,id=name,property=value,...}, or JSON
   * @throws ToolException also with exit code 0 and no message, once help has been printed that the
   *     definition asked for
   */
  public void add(Console console, String definition) throws ToolException {
    if (definition.equals("help") || definition.equals("?")) {
      throw list(console);
    }
    try {
      OptionReader reader;
      if (definition.startsWith("{")) {
        reader = OptionReader.of(json(definition), OptionReader.Style.TYPED);
      } else {
        OptionTree.Written written = OptionTree.parse(definition, "qom-type");
        reader = OptionReader.of(written.options(), OptionReader.Style.KEY_VALUE);
        if (written.asksForHelp()) {
          ObjectType type = registry.type(reader.string("qom-type"));
          throw type == null ? list(console) : describe(console, type);
        }
      }
      registry.define(reader);
    } catch (OptionException e) {
      String hint = e.hint();
      throw hint == null
          ? ToolException.of("", e)
          : new ToolException(1, List.of(e.getMessage()), hint);
    }
  }

  /** All of them. */
  public ObjectRegistry registry() {
    return registry;
  }

  private static ToolException done() {
    return new ToolException(0, List.of(), null);
  }

  private static Json.Members json(String text) throws OptionException {
    return switch (JsonParser.parse(text)) {
      case Parsed.Value<Json>(Json.Members members) -> members;
      case Parsed.Value<Json> _ -> throw new OptionException("Invalid JSON object given");
      case Parsed.Malformed<Json> malformed -> throw new OptionException(malformed.message());
    };
  }

  private ToolException list(Console console) {
    console.line("List of user creatable objects:");
    registry.types().stream()
        .filter(type -> !type.properties().equals(ObjectTypes.HIDDEN))
        .map(ObjectType::name)
        .forEach(name -> console.line("  " + name));
    return done();
  }

  private static ToolException describe(Console console, ObjectType type) {
    console.line(type.name() + " options:");
    type.properties().forEach(property -> console.line("  " + property));
    return done();
  }
}
