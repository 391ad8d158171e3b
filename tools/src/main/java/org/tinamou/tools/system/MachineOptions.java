package org.tinamou.tools.system;

import java.util.List;
import java.util.Map;
import org.tinamou.drivers.Drivers;
import org.tinamou.qapi.OptionList;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.system.SystemArguments.Given;

/**
 * What the command line says of the machine itself. There is one machine, which is empty; whatever
 * asks for more is refused as the reference refuses what it was built without.
 */
final class MachineOptions {
  private static final List<String> ACCELERATORS = List.of("tcg", "qtest");
  private static final List<String> VIDEO_CARDS =
      List.of("std", "cirrus", "vmware", "qxl", "virtio", "xenfb", "tcx", "cg3");
  private static final List<String> DISPLAYS =
      List.of("default", "gtk", "sdl", "egl-headless", "curses", "cocoa", "spice-app", "dbus");

  /** Parts of a machine that are not there yet, and how their absence is told. */
  private static final Map<String, String> ABSENT =
      Map.ofEntries(
          Map.entry("bios", "The -bios parameter is not supported"),
          Map.entry("kernel", "The -kernel parameter is not supported"),
          Map.entry("initrd", "The -initrd parameter is not supported"),
          Map.entry("append", "The -append parameter is not supported"),
          Map.entry("dtb", "The -dtb parameter is not supported"),
          Map.entry("incoming", "migration is not supported"),
          Map.entry("loadvm", "saved machine states are not supported"),
          Map.entry("vnc", "VNC support is disabled"),
          Map.entry("spice", "spice support is disabled"),
          Map.entry("sandbox", "seccomp support is disabled"),
          Map.entry("tpmdev", "TPM support is disabled"),
          Map.entry("fsdev", "fsdev support is disabled"),
          Map.entry("virtfs", "fsdev support is disabled"),
          Map.entry("chroot", "changing the root directory is not supported"),
          Map.entry("runas", "changing the user is not supported"),
          Map.entry("readconfig", "configuration files are not supported"),
          Map.entry("plugin", "plugin interface not enabled in this build"),
          Map.entry("gdb", "debugging a machine is not supported"),
          Map.entry("preconfig", "-preconfig is not supported"));

  private MachineOptions() {}

  /**
   * Looks at all options of the machine.
   *
   * @throws ToolException about what cannot be; also with exit code 0 and no message once help has
   *     been printed
   */
  static void check(SystemArguments arguments, Console console) throws ToolException {
    for (Given given : arguments.all()) {
      String absent = ABSENT.get(given.name());
      if (absent != null) {
        throw new ToolException(given.where() + absent);
      }
      switch (given.name()) {
        case "machine", "M" -> machine(given, console);
        case "accel" -> accelerator(given.where(), valueOf(given, "accel"));
        case "enable-kvm" -> accelerator(given.where(), "kvm");
        case "display" -> display(given);
        case "vga" -> videoCard(given, console);
        case "nic", "net" -> network(given);
        case "netdev" ->
            throw new ToolException(given.where() + "network backends are not supported");
        case "smp" -> processors(given);
        default -> {}
      }
    }
    checkDevices(arguments);
    for (Given given : arguments.of("drive")) {
      if ("help".equals(OptionList.values(given.text()).get("format"))) {
        String names = Drivers.namesAsTold();
        console.line("Supported formats: " + names);
        console.line("Supported formats (read-only): " + names);
        throw new ToolException(0, List.of(), null);
      }
    }
  }

  /** What is plugged in comes last: the machine is there by then. */
  private static void checkDevices(SystemArguments arguments) throws ToolException {
    Given processor = arguments.last("cpu");
    if (processor != null) {
      String model = OptionList.parse(processor.text()).getFirst().key();
      throw new ToolException("unable to find CPU model '" + model + "'");
    }
    Given device = arguments.last("device");
    if (device != null) {
      String driver = valueOf(device, "driver");
      throw new ToolException(device.where() + "'" + driver + "' is not a valid device model name");
    }
  }

  private static String valueOf(Given given, String name) {
    String value = SystemOptionText.valueOf(given, name);
    return value == null ? "" : value;
  }

  private static void machine(Given given, Console console) throws ToolException {
    String type = valueOf(given, "type");
    if (type.equals("help") || type.equals("?")) {
      console.line("Supported machines are:");
      console.line("none                 empty machine (default)");
      throw new ToolException(0, List.of(), null);
    }
    if (!type.isEmpty() && !type.equals("none")) {
      throw new ToolException(
          1, List.of("unsupported machine type"), "Use -machine help to list supported machines");
    }
    String accelerators = OptionList.values(given.text()).get("accel");
    if (accelerators != null) {
      accelerator("", accelerators.split(":", 2)[0]);
    }
  }

  private static void accelerator(String where, String name) throws ToolException {
    if (!ACCELERATORS.contains(name)) {
      throw new ToolException(where + "invalid accelerator " + name);
    }
  }

  private static void display(Given given) throws ToolException {
    String type = valueOf(given, "type");
    if (type.equals("none")) {
      return;
    }
    throw new ToolException(
        DISPLAYS.contains(type)
            ? "Display '" + type + "' is not available."
            : given.where() + "Parameter 'type' does not accept value '" + type + "'");
  }

  private static void videoCard(Given given, Console console) throws ToolException {
    if (given.text().equals("none")) {
      return;
    }
    if (!VIDEO_CARDS.contains(given.text())) {
      throw new ToolException("unknown vga type: " + given.text());
    }
    console.warning(
        "A -vga option was passed but this machine type does not use that option; No VGA device"
            + " has been created");
  }

  private static void network(Given given) throws ToolException {
    if (!given.text().equals("none")) {
      throw new ToolException(given.where() + "network cards are not supported");
    }
  }

  private static void processors(Given given) throws ToolException {
    String count = valueOf(given, "cpus");
    if (!count.isEmpty() && !count.equals("1")) {
      throw new ToolException(
          "Invalid SMP CPUs " + count + ". The max CPUs supported by machine 'none' is 1");
    }
  }
}
