package org.tinamou.monitor;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.tinamou.aio.InCoroutine;
import org.tinamou.monitor.chardev.CharDevice;
import org.tinamou.monitor.chardev.CharDevices;
import org.tinamou.monitor.chardev.CharOptions;
import org.tinamou.monitor.chardev.CharSpec;
import org.tinamou.monitor.chardev.RingDevice;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** The commands for character devices. Main loop. */
public final class ChardevCommands {
  private final CharDevices devices;

  private ChardevCommands(CharDevices devices) {
    this.devices = devices;
  }

  /** Adds them to a table. */
  public static void addTo(CommandTable table, CharDevices devices) {
    ChardevCommands commands = new ChardevCommands(devices);
    table
        .add("chardev-add", (arguments, from) -> commands.addDevice(arguments))
        .add("chardev-change", (arguments, from) -> commands.change(arguments))
        .add("chardev-remove", (arguments, from) -> commands.remove(arguments))
        .add("chardev-send-break", (arguments, from) -> commands.sendBreak(arguments))
        .add("query-chardev", (arguments, from) -> commands.query())
        .add("query-chardev-backends", (arguments, from) -> backends())
        .add("ringbuf-read", (arguments, from) -> commands.read(arguments))
        .add("ringbuf-write", (arguments, from) -> commands.write(arguments));
  }

  @InCoroutine
  private Json addDevice(OptionReader arguments) throws OptionException, CommandException {
    String id = arguments.string("id");
    if (devices.deviceOrNull(id) != null) {
      throw new CommandException("Chardev with id '" + id + "' already exists");
    }
    try {
      return opened(devices.add(id, CharOptions.read(arguments.object("backend"))));
    } catch (OptionException e) {
      throw failed(id, e);
    }
  }

  private static CommandException failed(String id, OptionException reason) {
    return new CommandException("Failed to add chardev '" + id + "': " + reason.getMessage());
  }

  private static Json opened(CharDevice device) {
    Json.Members result = new Json.Members();
    String terminal = CharDevices.terminalOrNull(device);
    return terminal == null ? result : result.put("pty", terminal);
  }

  @InCoroutine
  private Json change(OptionReader arguments) throws OptionException, CommandException {
    String id = arguments.string("id");
    CharDevice old = devices.deviceOrNull(id);
    if (old == null) {
      throw new CommandException("Chardev '" + id + "' does not exist");
    }
    if (old.isUsed()) {
      throw new CommandException("Chardev user does not support chardev hotswap");
    }
    try {
      CharSpec spec = CharOptions.read(arguments.object("backend"));
      return opened(devices.replace(old, spec));
    } catch (OptionException e) {
      throw failed(id, e);
    }
  }

  private CharDevice found(OptionReader arguments) throws OptionException, CommandException {
    String id = arguments.string("id");
    CharDevice device = devices.deviceOrNull(id);
    if (device == null) {
      throw new CommandException("Chardev '" + id + "' not found");
    }
    return device;
  }

  @InCoroutine
  private Json remove(OptionReader arguments) throws OptionException, CommandException {
    CharDevice device = found(arguments);
    if (device.isUsed()) {
      throw new CommandException("Chardev '" + device.id() + "' is busy");
    }
    devices.remove(device);
    return new Json.Members();
  }

  /** Nothing that exists here can send one; the reference ignores that as well. */
  private Json sendBreak(OptionReader arguments) throws OptionException, CommandException {
    found(arguments);
    return new Json.Members();
  }

  private Json query() {
    Json.Array all = new Json.Array();
    for (CharDevice device : devices.all()) {
      all.add(
          new Json.Members()
              .put("label", device.id())
              .put("filename", device.fileName())
              .put("frontend-open", device.isUsed()));
    }
    return all;
  }

  private static Json backends() {
    Json.Array all = new Json.Array();
    for (String name : CharOptions.BACKENDS) {
      all.add(new Json.Members().put("name", name));
    }
    return all;
  }

  private RingDevice ring(OptionReader arguments) throws OptionException, CommandException {
    String id = arguments.string("device");
    return switch (devices.deviceOrNull(id)) {
      case null -> throw new CommandException("Device '" + id + "' not found");
      case RingDevice ring -> ring;
      default -> throw new CommandException(id + " is not a ringbuf device");
    };
  }

  private static boolean isBase64(OptionReader arguments) throws OptionException {
    return "base64".equals(arguments.stringOrNull("format"));
  }

  private Json write(OptionReader arguments) throws OptionException, CommandException {
    RingDevice ring = ring(arguments);
    String data = arguments.string("data");
    byte[] bytes;
    if (isBase64(arguments)) {
      try {
        bytes = Base64.getDecoder().decode(data);
      } catch (IllegalArgumentException e) {
        throw new CommandException("Base64 data contains invalid characters");
      }
    } else {
      bytes = data.getBytes(StandardCharsets.UTF_8);
    }
    ring.write(bytes);
    return new Json.Members();
  }

  private Json read(OptionReader arguments) throws OptionException, CommandException {
    RingDevice ring = ring(arguments);
    long size = arguments.int64("size", 0);
    if (size <= 0) {
      throw new CommandException("size must be greater than zero");
    }
    byte[] bytes = ring.read(size);
    return new Json.Text(
        isBase64(arguments)
            ? Base64.getEncoder().encodeToString(bytes)
            : new String(bytes, StandardCharsets.UTF_8));
  }
}
