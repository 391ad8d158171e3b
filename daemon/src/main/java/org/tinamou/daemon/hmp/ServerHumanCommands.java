package org.tinamou.daemon.hmp;

import static org.tinamou.monitor.hmp.HumanArgument.flag;
import static org.tinamou.monitor.hmp.HumanArgument.optional;
import static org.tinamou.monitor.hmp.HumanArgument.required;

import org.tinamou.aio.InCoroutine;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.chardev.CharDevice;
import org.tinamou.monitor.chardev.CharDevices;
import org.tinamou.monitor.chardev.CharOptions;
import org.tinamou.monitor.hmp.HumanArgument.Kind;
import org.tinamou.monitor.hmp.HumanArguments;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.schema.Schema;

/** The process itself: its NBD server, its objects, its character devices, its end. */
final class ServerHumanCommands {
  private final HumanCommands commands;
  private final Schema schema;
  private final CharDevices devices;

  ServerHumanCommands(HumanCommands commands, Schema schema, CharDevices devices) {
    this.commands = commands;
    this.schema = schema;
    this.devices = devices;
  }

  void add() {
    addNbd();
    addCharacterDevices();
    commands.add(
        "object_add",
        "[qom-type=]type,id=str[,prop=value][,...]",
        "create QOM object",
        (given, out) ->
            commands.run(
                "object-add", schema.options("ObjectOptions", given.text("object"), "qom-type")),
        required("object", Kind.REST));
    commands.add(
        "object_del",
        "id",
        "destroy QOM object",
        (given, out) -> commands.run("object-del", id(given)),
        required("id", Kind.STRING));
    commands.addLast(
        "quit|q", "quit the emulator", (given, out) -> commands.run("quit", new Json.Members()));
    addSimple("stop|s", "stop", "stop emulation");
    addSimple("cont|c", "cont", "resume emulation");
    addDescriptor("getfd", "receive a file descriptor via SCM rights and assign it a name");
    addDescriptor("closefd", "close a file descriptor previously passed via SCM rights");
  }

  private void addDescriptor(String name, String help) {
    String argument = "fdname";
    commands.add(
        name,
        name + " name",
        help,
        (given, out) ->
            commands.run(
                name, new Json.Members().put(argument, given.text(argument)), given.source()),
        required(argument, Kind.STRING));
  }

  private void addSimple(String names, String command, String help) {
    commands.add(names, "", help, (given, out) -> commands.run(command, new Json.Members()));
  }

  private static Json.Members id(HumanArguments given) {
    return new Json.Members().put("id", given.text("id"));
  }

  private void addNbd() {
    commands.add(
        "nbd_server_start",
        "nbd_server_start [-a] [-w] host:port",
        "serve block devices on the given host and port",
        (given, out) -> startNbd(given),
        flag('a'),
        flag('w'),
        required("uri", Kind.STRING));
    commands.add(
        "nbd_server_add",
        "nbd_server_add [-w] device [name]",
        "export a block device via NBD",
        (given, out) -> {
          Json.Members export = export(given.text("device"), given.has("w"));
          String name = given.textOrNull("name");
          commands.run("nbd-server-add", name == null ? export : export.put("name", name));
        },
        flag('w'),
        required("device", Kind.DEVICE),
        optional("name", Kind.STRING));
    commands.add(
        "nbd_server_remove",
        "nbd_server_remove [-f] name",
        "remove an export previously exposed via NBD",
        (given, out) ->
            commands.run(
                "nbd-server-remove",
                new Json.Members()
                    .put("name", given.text("name"))
                    .put("mode", given.has("f") ? "hard" : "safe")),
        flag('f'),
        required("name", Kind.STRING));
    commands.add(
        "nbd_server_stop",
        "nbd_server_stop",
        "stop serving block devices using the NBD protocol",
        (given, out) -> commands.run("nbd-server-stop", new Json.Members()));
  }

  private static Json.Members export(String device, boolean writable) {
    return new Json.Members().put("device", device).put("writable", writable);
  }

  /** Starts the server and, if that is wanted, exports every drive that has a medium. */
  @InCoroutine
  private void startNbd(HumanArguments given) throws CommandException {
    if (given.has("w") && !given.has("a")) {
      throw new CommandException("-w only valid together with -a");
    }
    commands.run("nbd-server-start", new Json.Members().put("addr", address(given.text("uri"))));
    if (!given.has("a")) {
      return;
    }
    for (Json.Members each : JsonFields.objects(commands.run("query-block", new Json.Members()))) {
      if (JsonFields.has(each, "inserted")) {
        try {
          commands.run("nbd-server-add", export(JsonFields.text(each, "device"), given.has("w")));
        } catch (CommandException e) {
          commands.run("nbd-server-stop", new Json.Members());
          throw e;
        }
      }
    }
  }

  private static Json.Members address(String uri) throws CommandException {
    Json.Members data = new Json.Members();
    if (uri.startsWith("unix:")) {
      return new Json.Members()
          .put("type", "unix")
          .put("data", data.put("path", uri.substring("unix:".length())));
    }
    int colon = uri.lastIndexOf(':');
    String host = uri.substring(0, Math.max(colon, 0));
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    if (colon < 0) {
      throw new CommandException("error parsing address '" + uri + "'");
    }
    return new Json.Members()
        .put("type", "inet")
        .put("data", data.put("host", host).put("port", uri.substring(colon + 1)));
  }

  private void addCharacterDevices() {
    commands.add(
        "chardev-add",
        "args",
        "add chardev",
        (given, out) -> addDevice(CharOptions.parse(given.text("args"))),
        required("args", Kind.REST));
    commands.add(
        "chardev-change",
        "id args",
        "change chardev",
        (given, out) -> changeDevice(given),
        required("id", Kind.STRING),
        required("args", Kind.REST));
    commands.add(
        "chardev-remove",
        "id",
        "remove chardev",
        (given, out) -> commands.run("chardev-remove", id(given)),
        required("id", Kind.STRING));
    commands.add(
        "chardev-send-break",
        "id",
        "send a break on chardev",
        (given, out) -> commands.run("chardev-send-break", id(given)),
        required("id", Kind.STRING));
  }

  @InCoroutine
  private void addDevice(CharOptions options) throws CommandException, OptionException {
    if (devices.deviceOrNull(options.id()) != null) {
      throw new CommandException("Chardev with id '" + options.id() + "' already exists");
    }
    devices.add(options.id(), options.spec());
  }

  @InCoroutine
  private void changeDevice(HumanArguments given) throws CommandException, OptionException {
    String id = given.text("id");
    CharDevice old = devices.deviceOrNull(id);
    if (old == null) {
      throw new CommandException("Chardev '" + id + "' does not exist");
    }
    if (old.isUsed()) {
      throw new CommandException("Chardev user does not support chardev hotswap");
    }
    devices.replace(old, CharOptions.parse(given.text("args") + ",id=" + id).spec());
  }
}
