package org.tinamou.daemon.command;

import java.util.Map;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.object.IoThreadObject;
import org.tinamou.daemon.object.ObjectTypes;
import org.tinamou.monitor.CommandException;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Objects that users define, and the tree in which they stand: /objects/ID. */
final class ObjectCommands {
  private static final String OBJECTS = "/objects";

  private final Daemon daemon;

  /** The place for objects is there from the first one on. */
  private boolean hasPlace;

  ObjectCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.action("object-add", this::add);
    list.action(
        "object-del",
        arguments -> {
          hasPlace = true;
          daemon.objects().remove(arguments.string("id"));
        });
    list.query("query-iothreads", _ -> ioThreads());
    list.query("qom-list", this::list);
    list.query("qom-get", this::get);
    list.action("qom-set", this::set);
    list.query("qom-list-types", this::listTypes);
    list.query("qom-list-properties", this::listProperties);
  }

  private void add(OptionReader arguments) throws OptionException {
    hasPlace |= daemon.objects().type(arguments.string("qom-type")) != null;
    daemon.objects().define(OptionReader.of(CommandList.tree(arguments), OptionReader.Style.TYPED));
  }

  private Json ioThreads() {
    Json.Array all = new Json.Array();
    for (ObjectRegistry.Entry each : daemon.objects().all()) {
      if (each.object() instanceof IoThreadObject thread) {
        all.add(thread.report(each.id()));
      }
    }
    return all;
  }

  // ---------------------------------------------------------------------------------------- tree

  private ObjectRegistry.Entry entry(String path) throws CommandException {
    String id = path.startsWith(OBJECTS + "/") ? path.substring(OBJECTS.length() + 1) : path;
    for (ObjectRegistry.Entry each : daemon.objects().all()) {
      if (each.id().equals(id)) {
        return each;
      }
    }
    throw notFound(path);
  }

  private static CommandException notFound(String path) {
    return new CommandException(ErrorClass.DEVICE_NOT_FOUND, "Device '" + path + "' not found");
  }

  private static Json property(String name, String type) {
    return new Json.Members().put("name", name).put("type", type);
  }

  private Json list(OptionReader arguments) throws OptionException, CommandException {
    String path = arguments.string("path");
    Json.Array all = new Json.Array().add(property("type", "string"));
    switch (path) {
      case "/" -> {
        all.add(property("objects", "child<container>"));
        all.add(property("chardevs", "child<container>"));
      }
      case OBJECTS -> {
        hasPlace |= !daemon.objects().all().isEmpty();
        if (!hasPlace) {
          throw notFound(path);
        }
        for (ObjectRegistry.Entry each : daemon.objects().all()) {
          all.add(property(each.id(), "child<" + each.type().name() + ">"));
        }
      }
      default -> describe(entry(path).type(), all);
    }
    return all;
  }

  private static void describe(ObjectType type, Json.Array into) {
    for (String each : type.properties()) {
      int split = each.indexOf("=<");
      into.add(property(each.substring(0, split), each.substring(split + 2, each.length() - 1)));
    }
  }

  private static OptionException noProperty(ObjectRegistry.Entry entry, String property) {
    return new OptionException("Property '" + entry.type().name() + "." + property + "' not found");
  }

  private static boolean has(ObjectType type, String property) {
    return type.properties().stream().anyMatch(each -> each.startsWith(property + "="));
  }

  private Json get(OptionReader arguments) throws OptionException, CommandException {
    ObjectRegistry.Entry entry = entry(arguments.string("path"));
    String property = arguments.string("property");
    if (property.equals("type")) {
      return new Json.Text(entry.type().name());
    }
    Json value = entry.object().properties().members().get(property);
    if (value == null) {
      throw has(entry.type(), property)
          ? new OptionException(
              "Property '" + entry.type().name() + "." + property + "' is not readable")
          : noProperty(entry, property);
    }
    return value;
  }

  private void set(OptionReader arguments) throws OptionException, CommandException {
    ObjectRegistry.Entry entry = entry(arguments.string("path"));
    String property = arguments.string("property");
    if (!has(entry.type(), property)) {
      throw noProperty(entry, property);
    }
    Json value = CommandList.value(arguments, "value");
    entry.object().set(property, value == null ? new Json.Members() : value);
  }

  // --------------------------------------------------------------------------------------- types

  private Json listTypes(OptionReader arguments) throws OptionException {
    String wanted = arguments.stringOrNull("implements");
    Json.Array all = new Json.Array();
    for (Map.Entry<String, String> each : ObjectTypes.parents().entrySet()) {
      boolean matches =
          wanted == null
              || wanted.equals("object")
              || wanted.equals("user-creatable")
              || wanted.equals(each.getKey())
              || wanted.equals(each.getValue());
      if (matches) {
        all.add(new Json.Members().put("name", each.getKey()).put("parent", each.getValue()));
      }
    }
    return all;
  }

  private Json listProperties(OptionReader arguments) throws OptionException, CommandException {
    String name = arguments.string("typename");
    ObjectType type = daemon.objects().type(name);
    if (type == null) {
      throw new CommandException(ErrorClass.DEVICE_NOT_FOUND, "Class '" + name + "' not found");
    }
    Json.Array all = new Json.Array().add(property("type", "string"));
    describe(type, all);
    return all;
  }
}
