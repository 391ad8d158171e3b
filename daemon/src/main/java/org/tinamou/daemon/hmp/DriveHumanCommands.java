package org.tinamou.daemon.hmp;

import static org.tinamou.monitor.hmp.HumanArgument.flag;
import static org.tinamou.monitor.hmp.HumanArgument.optional;
import static org.tinamou.monitor.hmp.HumanArgument.required;

import java.util.List;
import org.tinamou.aio.InCoroutine;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.hmp.HumanArgument;
import org.tinamou.monitor.hmp.HumanArgument.Kind;
import org.tinamou.monitor.hmp.HumanArguments;
import org.tinamou.qapi.Json;

/** Drives: their media, their limits, and qemu-io on them. */
final class DriveHumanCommands {
  private static final String DEVICE = "device";
  private static final List<String> LIMITS =
      List.of("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr");

  private final HumanCommands commands;
  private final HumanCommands.IoTool ioTool;

  DriveHumanCommands(HumanCommands commands, HumanCommands.IoTool ioTool) {
    this.commands = commands;
    this.ioTool = ioTool;
  }

  void add() {
    commands.add(
        "eject",
        "[-f] device",
        "eject a removable medium (use -f to force it)",
        (given, out) ->
            commands.run(
                "eject",
                new Json.Members().put(DEVICE, given.text(DEVICE)).put("force", given.has("f"))),
        flag('f'),
        required(DEVICE, Kind.DEVICE));
    commands.add(
        "change",
        "device [-f] filename [format [read-only-mode]]",
        "change a removable medium, optional format, use -f to force the operation",
        (given, out) -> change(given),
        required(DEVICE, Kind.DEVICE),
        flag('f'),
        required("filename", Kind.FILE),
        optional("format", Kind.STRING),
        optional("read-only-mode", Kind.STRING));
    HumanArgument[] limits = new HumanArgument[1 + LIMITS.size()];
    limits[0] = required(DEVICE, Kind.DEVICE);
    for (int i = 0; i < LIMITS.size(); i++) {
      limits[i + 1] = required(LIMITS.get(i), Kind.LONG);
    }
    commands.add(
        "block_set_io_throttle",
        "device bps bps_rd bps_wr iops iops_rd iops_wr",
        "change I/O throttle limits for a block drive",
        (given, out) -> throttle(given),
        limits);
    commands.add(
        "qemu-io",
        "[-d] [device] \"[command]\"",
        HumanCommands.lines(
            "run a qemu-io command on a block device",
            "-d: [device] is a device ID rather than a drive ID or node name"),
        (given, out) -> ioTool.run(given.text(DEVICE), given.has("d"), given.text("command"), out),
        flag('d'),
        required(DEVICE, Kind.DEVICE),
        required("command", Kind.STRING));
  }

  @InCoroutine
  private void change(HumanArguments given) throws CommandException {
    Json.Members arguments =
        new Json.Members()
            .put(DEVICE, given.text(DEVICE))
            .put("filename", given.text("filename"))
            .put("force", given.has("f"));
    for (String name : List.of("format", "read-only-mode")) {
      String value = given.textOrNull(name);
      if (value != null) {
        arguments.put(name, value);
      }
    }
    commands.run("blockdev-change-medium", arguments);
  }

  @InCoroutine
  private void throttle(HumanArguments given) throws CommandException {
    Json.Members arguments = new Json.Members().put(DEVICE, given.text(DEVICE));
    for (String name : LIMITS) {
      arguments.put(name, given.number(name));
    }
    commands.run("block_set_io_throttle", arguments);
  }
}
