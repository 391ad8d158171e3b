package org.tinamou.tools.system;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.monitor.MonitorOptions;
import org.tinamou.monitor.Monitors;
import org.tinamou.monitor.chardev.CharDevice;
import org.tinamou.monitor.chardev.CharDevices;
import org.tinamou.monitor.chardev.CharOptions;
import org.tinamou.monitor.chardev.CharShorthand;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.qapi.OptionException;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.system.SystemArguments.Given;

/**
 * The character devices of the command line and the monitors on them: first all devices are opened,
 * then, when everything else is there, monitors begin to listen.
 */
final class MonitorDevices {
  private static final String ON_TERMINAL = "stdio";

  /** A monitor that is to come. */
  private record Wanted(Given given, MonitorOptions options) {}

  private final SystemArguments arguments;
  private final CharDevices devices;
  private final Monitors monitors;
  private final HumanTable human;
  private final List<Wanted> wanted = new ArrayList<>();

  MonitorDevices(
      SystemArguments arguments, CharDevices devices, Monitors monitors, HumanTable human) {
    this.human = human;
    this.arguments = arguments;
    this.devices = devices;
    this.monitors = monitors;
  }

  @InCoroutine
  void openDevices() throws ToolException {
    int monitorCount = 0;
    int serialCount = 0;
    for (Given given : arguments.all()) {
      switch (given.name()) {
        case "chardev" -> {
          try {
            open(given, CharOptions.parse(given.text()));
          } catch (OptionException e) {
            throw ToolException.of(given.where(), e);
          }
        }
        case "mon" -> wanted.add(new Wanted(given, parsed(given)));
        case "monitor", "qmp", "qmp-pretty" -> {
          String name = openShort(given, "compat_monitor" + monitorCount);
          if (name != null) {
            monitorCount += name.equals("compat_monitor" + monitorCount) ? 1 : 0;
            boolean human = given.name().equals("monitor");
            boolean pretty = given.name().equals("qmp-pretty");
            wanted.add(new Wanted(given, new MonitorOptions(name, human, pretty)));
          }
        }
        case "serial" -> openShort(given, "serial" + serialCount++);
        case "parallel" -> openShort(given, "parallel0");
        case "qtest" -> openShort(given, "qtest");
        default -> {}
      }
    }
    if (arguments.has("nographic") && !arguments.has("nodefaults") && !isTerminalTaken()) {
      Given implied = new Given("monitor", ON_TERMINAL, "");
      String name = openShort(implied, "compat_monitor" + monitorCount);
      wanted.add(new Wanted(implied, new MonitorOptions(String.valueOf(name), true, false)));
    }
  }

  private boolean isTerminalTaken() {
    return !arguments.of("monitor", "mon", "serial").isEmpty()
        || devices.all().stream().anyMatch(device -> device.fileName().equals(ON_TERMINAL));
  }

  private static MonitorOptions parsed(Given given) throws ToolException {
    try {
      return MonitorOptions.parseForMachine(given.text());
    } catch (OptionException e) {
      throw ToolException.of(given.where(), e);
    }
  }

  private void open(Given given, CharOptions options) throws ToolException {
    try {
      if (devices.deviceOrNull(options.id()) != null) {
        throw new OptionException("Duplicate ID '" + options.id() + "' for chardev");
      }
      devices.add(options.id(), options.spec());
    } catch (OptionException e) {
      throw ToolException.of(given.where(), e);
    }
  }

  /**
   * Opens a device in the short form.
   *
   * @return its name, that of another one if the text says so, or null for none
   */
  private @Nullable String openShort(Given given, String name) throws ToolException {
    // The keys that switch between several users are not there: the monitor has the device.
    String text = given.text().startsWith("mon:") ? given.text().substring(4) : given.text();
    if (text.equals("none")) {
      return null;
    }
    String existing = CharShorthand.existingOrNull(text);
    if (existing != null) {
      return existing;
    }
    CharOptions options;
    try {
      options = CharShorthand.parse(name, text);
    } catch (OptionException e) {
      throw notOne(given, e);
    }
    open(given, options);
    return name;
  }

  /** Each kind of user has its own words for a device that cannot be read. */
  private static ToolException notOne(Given given, OptionException why) {
    String text = given.text();
    String consequence =
        switch (given.name()) {
          case "serial", "parallel" ->
              "could not connect %s device to character backend '%s'".formatted(given.name(), text);
          case "qtest" -> "Failed to initialize device for qtest: \"" + text + "\"";
          default -> null;
        };
    String where = given.name().equals("qtest") ? "" : given.where();
    List<String> messages = new ArrayList<>();
    for (String line : why.getMessage().split("\n")) {
      if (consequence == null || !line.startsWith("parse error")) {
        messages.add(where + line);
      }
    }
    if (consequence != null) {
      messages.add(where + consequence);
    }
    return new ToolException(1, messages, null);
  }

  /** Puts the monitors on their devices. */
  void attachMonitors() throws ToolException {
    for (Wanted each : wanted) {
      MonitorOptions options = each.options();
      CharDevice device = devices.deviceOrNull(options.device());
      try {
        if (device == null) {
          throw new OptionException("chardev \"" + options.device() + "\" not found");
        }
        if (options.human()) {
          monitors.attachHuman(device, human);
        } else {
          monitors.attachQmp(device, options.pretty());
        }
      } catch (OptionException e) {
        throw ToolException.of(each.given().where(), e);
      }
    }
  }
}
