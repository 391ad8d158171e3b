package org.tinamou.daemon.hmp;

import static org.tinamou.monitor.hmp.HumanArgument.flag;
import static org.tinamou.monitor.hmp.HumanArgument.optional;

import java.util.List;
import org.tinamou.aio.InCoroutine;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.hmp.HumanArgument.Kind;
import org.tinamou.monitor.hmp.HumanArguments;
import org.tinamou.qapi.Json;

/** What {@code info} shows. */
final class InfoHumanCommands {
  private final HumanCommands commands;

  InfoHumanCommands(HumanCommands commands) {
    this.commands = commands;
  }

  void add() {
    commands.addInfo(
        "block",
        "[-n] [-v] [device]",
        "show info of one block device or all block devices (-n: show named nodes; -v: show"
            + " details)",
        (given, out) -> out.append(block(given)),
        flag('n'),
        flag('v'),
        optional("device", Kind.DEVICE));
    commands.addInfo(
        "blockstats",
        "",
        "show block device statistics",
        (given, out) -> out.append(BlockText.statistics(query("query-blockstats"))));
    commands.addInfo(
        "block-jobs",
        "",
        "show progress of ongoing block device operations",
        (given, out) -> out.append(BlockText.jobs(query("query-block-jobs"))));
    commands.addInfo(
        "chardev",
        "",
        "show the character devices",
        (given, out) -> {
          for (Json.Members each : JsonFields.objects(query("query-chardev"))) {
            out.append(JsonFields.text(each, "label")).append(": filename=");
            out.append(JsonFields.text(each, "filename")).append('\n');
          }
        });
    addProcess();
  }

  private void addProcess() {
    commands.addInfo(
        "version",
        "",
        "show the version of QEMU",
        (given, out) -> out.append(version(query("query-version"))));
    commands.addInfo(
        "name",
        "",
        "show the current VM name",
        (given, out) -> {
          if (query("query-name") instanceof Json.Members reply && JsonFields.has(reply, "name")) {
            out.append(JsonFields.text(reply, "name")).append('\n');
          }
        });
    commands.addInfo(
        "uuid",
        "",
        "show the current VM UUID",
        (given, out) -> {
          if (query("query-uuid") instanceof Json.Members reply) {
            out.append(JsonFields.text(reply, "UUID")).append('\n');
          }
        });
    commands.addInfo(
        "status",
        "",
        "show the current VM status (running|paused)",
        (given, out) -> out.append(status(query("query-status"))));
    commands.addInfo(
        "iothreads",
        "",
        "show iothreads",
        (given, out) -> {
          for (Json.Members each : JsonFields.objects(query("query-iothreads"))) {
            out.append(JsonFields.text(each, "id")).append(":\n");
            out.append("  thread_id=").append(JsonFields.text(each, "thread-id")).append('\n');
            for (String name : List.of("poll-max-ns", "poll-grow", "poll-shrink")) {
              out.append("  ").append(name).append('=');
              out.append(JsonFields.number(each, name)).append('\n');
            }
            out.append("  aio-max-batch=");
            out.append(JsonFields.number(each, "aio-max-batch")).append('\n');
          }
        });
  }

  @InCoroutine
  private Json query(String command) throws CommandException {
    return commands.run(command, new Json.Members());
  }

  @InCoroutine
  private String block(HumanArguments given) throws CommandException {
    String device = given.textOrNull("device");
    boolean verbose = given.has("v");
    if (!given.has("n")) {
      String drives = BlockText.drives(query("query-block"), device, verbose);
      if (device == null || !drives.isEmpty()) {
        return drives;
      }
    }
    return BlockText.nodes(query("query-named-block-nodes"), device, verbose);
  }

  private static String version(Json reply) {
    if (!(reply instanceof Json.Members version)) {
      return "";
    }
    Json.Members number = JsonFields.objectOrNull(version, "qemu");
    String text = number == null ? "" : dotted(number);
    return text + JsonFields.text(version, "package") + "\n";
  }

  private static String dotted(Json.Members number) {
    return JsonFields.text(number, "major")
        + "."
        + JsonFields.text(number, "minor")
        + "."
        + JsonFields.text(number, "micro");
  }

  private static String status(Json reply) {
    if (!(reply instanceof Json.Members state)) {
      return "";
    }
    boolean running = JsonFields.flag(state, "running");
    String status = JsonFields.text(state, "status");
    boolean told = status.equals("running") || status.equals("paused");
    return "VM status: "
        + (running ? "running" : "paused")
        + (told ? "" : " (" + status + ")")
        + "\n";
  }
}
