package org.tinamou.daemon.hmp;

import static org.tinamou.daemon.hmp.HumanCommands.lines;
import static org.tinamou.monitor.hmp.HumanArgument.flag;
import static org.tinamou.monitor.hmp.HumanArgument.optional;
import static org.tinamou.monitor.hmp.HumanArgument.required;

import org.tinamou.aio.InCoroutine;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.hmp.HumanArgument.Kind;
import org.tinamou.monitor.hmp.HumanArguments;
import org.tinamou.qapi.Json;

/** Jobs and what begins them. */
final class BlockHumanCommands {
  private static final String DEVICE = "device";

  private final HumanCommands commands;

  BlockHumanCommands(HumanCommands commands) {
    this.commands = commands;
  }

  void add() {
    addJobs();
    addCopies();
    addSnapshots();
    commands.add(
        "block_resize",
        "device size",
        "resize a block image",
        (given, out) ->
            commands.run("block_resize", device(given).put("size", given.number("size"))),
        required(DEVICE, Kind.DEVICE),
        required("size", Kind.SIZE));
  }

  private static Json.Members device(HumanArguments given) {
    return new Json.Members().put(DEVICE, given.text(DEVICE));
  }

  private static void putIfGiven(Json.Members into, HumanArguments given, String name) {
    String value = given.textOrNull(name);
    if (value != null) {
      into.put(name, value);
    }
  }

  private void addJobs() {
    commands.add(
        "block_job_set_speed",
        "device speed",
        "set maximum speed for a background block operation",
        (given, out) ->
            commands.run("block-job-set-speed", device(given).put("speed", given.number("speed"))),
        required(DEVICE, Kind.DEVICE),
        required("speed", Kind.SIZE));
    commands.add(
        "block_job_cancel",
        "[-f] device",
        lines(
            "stop an active background block operation (use -f",
            " if you want to abort the operation immediately",
            " instead of keep running until data is in sync)"),
        (given, out) ->
            commands.run("block-job-cancel", device(given).put("force", given.has("f"))),
        flag('f'),
        required(DEVICE, Kind.DEVICE));
    addVerb("complete", "stop an active background block operation");
    addVerb("pause", "pause an active background block operation");
    addVerb("resume", "resume a paused background block operation");
    commands.add(
        "block_stream",
        "device [speed [base]]",
        "copy data from a backing file into a block device",
        (given, out) -> stream(given),
        required(DEVICE, Kind.DEVICE),
        optional("speed", Kind.SIZE),
        optional("base", Kind.STRING));
  }

  private void addVerb(String verb, String help) {
    commands.add(
        "block_job_" + verb,
        DEVICE,
        help,
        (given, out) -> commands.run("block-job-" + verb, device(given)),
        required(DEVICE, Kind.DEVICE));
  }

  @InCoroutine
  private void stream(HumanArguments given) throws CommandException {
    Json.Members arguments = device(given).put("job-id", given.text(DEVICE));
    putIfGiven(arguments, given, "base");
    if (given.has("speed")) {
      arguments.put("speed", given.number("speed"));
    }
    commands.run("block-stream", arguments.put("on-error", "report"));
  }

  private void addCopies() {
    commands.add(
        "drive_mirror",
        "[-n] [-f] device target [format]",
        lines(
            "initiates live storage",
            "migration for a device. The device's contents are",
            "copied to the new image file, including data that",
            "is written after the command is started.",
            "The -n flag requests QEMU to reuse the image found",
            "in new-image-file, instead of recreating it from scratch.",
            "The -f flag requests QEMU to copy the whole disk,",
            "so that the result does not need a backing file.",
            ""),
        (given, out) -> commands.run("drive-mirror", copy(given).put("unmap", true)),
        flag('n'),
        flag('f'),
        required(DEVICE, Kind.DEVICE),
        required("target", Kind.STRING),
        optional("format", Kind.STRING));
    commands.add(
        "drive_backup",
        "[-n] [-f] [-c] device target [format]",
        lines(
            "initiates a point-in-time",
            "copy for a device. The device's contents are",
            "copied to the new image file, excluding data that",
            "is written after the command is started.",
            "The -n flag requests QEMU to reuse the image found",
            "in new-image-file, instead of recreating it from scratch.",
            "The -f flag requests QEMU to copy the whole disk,",
            "so that the result does not need a backing file.",
            "The -c flag requests QEMU to compress backup data",
            "(if the target format supports it).",
            ""),
        (given, out) -> commands.run("drive-backup", copy(given).put("compress", given.has("c"))),
        flag('n'),
        flag('f'),
        flag('c'),
        required(DEVICE, Kind.DEVICE),
        required("target", Kind.STRING),
        optional("format", Kind.STRING));
  }

  private static Json.Members copy(HumanArguments given) {
    Json.Members arguments = device(given).put("target", given.text("target"));
    putIfGiven(arguments, given, "format");
    return arguments.put("sync", given.has("f") ? "full" : "top").put("mode", mode(given));
  }

  private static String mode(HumanArguments given) {
    return given.has("n") ? "existing" : "absolute-paths";
  }

  private void addSnapshots() {
    commands.add(
        "snapshot_blkdev",
        "[-n] device [new-image-file] [format]",
        lines(
            "initiates a live snapshot",
            "of device. If a new image file is specified, the",
            "new image file will become the new root image.",
            "If format is specified, the snapshot file will",
            "be created in that format.",
            "The default format is qcow2.  The -n flag requests QEMU",
            "to reuse the image found in new-image-file, instead of",
            "recreating it from scratch."),
        (given, out) -> snapshot(given),
        flag('n'),
        required(DEVICE, Kind.DEVICE),
        optional("snapshot-file", Kind.STRING),
        optional("format", Kind.STRING));
    commands.add(
        "snapshot_blkdev_internal",
        "device name",
        lines(
            "take an internal snapshot of device.",
            "The format of the image used by device must",
            "support it, such as qcow2.",
            ""),
        (given, out) ->
            commands.run(
                "blockdev-snapshot-internal-sync", device(given).put("name", given.text("name"))),
        required(DEVICE, Kind.DEVICE),
        required("name", Kind.STRING));
    commands.add(
        "snapshot_delete_blkdev_internal",
        "device name [id]",
        lines(
            "delete an internal snapshot of device.",
            "If id is specified, qemu will try delete",
            "the snapshot matching both id and name.",
            "The format of the image used by device must",
            "support it, such as qcow2.",
            ""),
        (given, out) -> {
          Json.Members arguments = device(given);
          putIfGiven(arguments, given, "id");
          commands.run(
              "blockdev-snapshot-delete-internal-sync", arguments.put("name", given.text("name")));
        },
        required(DEVICE, Kind.DEVICE),
        required("name", Kind.STRING),
        optional("id", Kind.STRING));
  }

  @InCoroutine
  private void snapshot(HumanArguments given) throws CommandException {
    if (!given.has("snapshot-file")) {
      throw new CommandException("Parameter 'snapshot-file' is missing");
    }
    Json.Members arguments = device(given);
    putIfGiven(arguments, given, "snapshot-file");
    putIfGiven(arguments, given, "format");
    commands.run("blockdev-snapshot-sync", arguments.put("mode", mode(given)));
  }
}
