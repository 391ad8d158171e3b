package org.tinamou.tools.system;

import static org.tinamou.monitor.hmp.HumanArgument.flag;
import static org.tinamou.monitor.hmp.HumanArgument.optional;
import static org.tinamou.monitor.hmp.HumanArgument.required;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.HeldDrives.Drive;
import org.tinamou.jobs.chain.ImageCommit;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.hmp.HumanArgument;
import org.tinamou.monitor.hmp.HumanArgument.Kind;
import org.tinamou.monitor.hmp.HumanArguments;
import org.tinamou.monitor.hmp.HumanCommand;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** What only a machine offers to people: its drives come, go and are committed. Main loop. */
final class SystemHumanCommands {
  private static final String DEVICE = "device";

  private final Daemon daemon;
  private final Drives drives;
  private final HumanTable table;
  private final MachineSnapshots snapshots;

  private SystemHumanCommands(Daemon daemon, Drives drives, HumanTable table) {
    this.daemon = daemon;
    this.snapshots = new MachineSnapshots(daemon);
    this.drives = drives;
    this.table = table;
  }

  static void addTo(HumanTable table, Daemon daemon, Drives drives) {
    SystemHumanCommands commands = new SystemHumanCommands(daemon, drives, table);
    commands.addDrives();
    commands.addSnapshots();
  }

  private void add(
      String name,
      String parameters,
      String help,
      HumanCommand.Handler handler,
      HumanArgument... arguments) {
    table.add(new HumanCommand(name, List.of(arguments), parameters, help, handler));
  }

  private void addDrives() {
    add(
        "commit",
        "device|all",
        "commit changes to the disk images (if -snapshot is used) or backing files",
        (given, out) -> commit(given.text(DEVICE), out),
        required(DEVICE, Kind.DEVICE));
    add(
        "drive_add",
        """
        [-n] [[<domain>:]<bus>:]<slot>
        [file=file][,if=type][,bus=n]
        [,unit=m][,media=d][,index=i]
        [,snapshot=on|off][,cache=on|off]
        [,readonly=on|off][,copy-on-read=on|off]\
        """,
        "add drive to PCI storage controller",
        this::addDrive,
        flag('n'),
        required("pci_addr", Kind.STRING),
        required("opts", Kind.STRING));
    add(
        "drive_del",
        DEVICE,
        "remove host block device",
        (given, out) -> deleteDrive(given.text("id"), out),
        required("id", Kind.DEVICE));
  }

  // ------------------------------------------------------------------------------------- commit

  @InCoroutine
  private void commit(String name, StringBuilder out) {
    if (name.equals("all")) {
      commitAll(out);
      return;
    }
    Drive drive = daemon.drives().find(name);
    BlockNode node = drive == null ? null : drive.backend().node();
    if (drive == null) {
      out.append("Device '").append(name).append("' not found\n");
    } else if (node == null) {
      out.append("Device '").append(name).append("' has no medium\n");
    } else {
      commit(name, node, out);
    }
  }

  /** Those drives that have something below them; the first one that fails is the last one. */
  @InCoroutine
  private void commitAll(StringBuilder out) {
    for (Drive drive : daemon.drives().all()) {
      BlockNode node = drive.backend().node();
      boolean layered =
          node != null && node.children().stream().anyMatch(edge -> edge.name().equals("backing"));
      if (node != null && layered && !commit("all", node, out)) {
        return;
      }
    }
  }

  @InCoroutine
  private boolean commit(String name, BlockNode node, StringBuilder out) {
    try {
      if (node.isReadOnly()) {
        out.append("Block node is read-only\n");
        throw new BlockException(Errno.EPERM, Errno.EPERM.message());
      }
      ImageCommit.run(daemon.jobs(), node, daemon.writableImages());
      return true;
    } catch (BlockException e) {
      out.append("'commit' error for '%s': %s\n".formatted(name, e.errno().message()));
      return false;
    }
  }

  // ------------------------------------------------------------------------------------- drives

  @InCoroutine
  private void addDrive(HumanArguments given, StringBuilder out) {
    String text = given.text("opts");
    try {
      if (given.has("n")) {
        addNode(text, out);
        return;
      }
      DriveOptions options = DriveOptions.parse(text, false, warning -> warn(warning, out));
      drives.refuseDuplicate(options);
      if (options.bus() != DriveBus.NONE) {
        throw new OptionException("Can't hot-add drive to type " + options.bus().ordinal());
      }
      drives.open(options);
      out.append("OK\n");
    } catch (OptionException e) {
      out.append(e.getMessage()).append('\n');
    } catch (BlockException e) {
      out.append(e.getMessage()).append('\n');
      if (e.hint() != null) {
        out.append(e.hint()).append('\n');
      }
    }
  }

  private static void warn(String warning, StringBuilder out) {
    out.append("warning: ").append(warning).append('\n');
  }

  @InCoroutine
  private void addNode(String text, StringBuilder out) throws OptionException, BlockException {
    Map<String, String> written = DriveOptions.written(text, warning -> warn(warning, out));
    if (!written.containsKey("node-name")) {
      throw new OptionException("'node-name' needs to be specified");
    }
    Json.Members options = new Json.Members();
    written.forEach(options::put);
    daemon
        .nodes()
        .keep(
            daemon.open(
                new ImageAddress(null, options, OptionReader.Style.LOOSE), NodeOptions.READ_WRITE));
  }

  @InCoroutine
  private void deleteDrive(String name, StringBuilder out) {
    try {
      if (!name.isEmpty() && daemon.graph().node(name) != null) {
        daemon.nodes().delete(name);
        return;
      }
      Drive drive = daemon.drives().find(name);
      if (drive == null) {
        out.append("Device '").append(name).append("' not found\n");
        return;
      }
      BlockBackend backend = drive.backend();
      BlockNode node = backend.node();
      if (node != null) {
        daemon.jobs().checkNotBlocked(node);
        daemon.exports().mediumLeaves(backend);
      }
      daemon.drives().remove(drive);
    } catch (BlockException e) {
      out.append(e.getMessage()).append('\n');
    }
  }

  // ---------------------------------------------------------------------------------- snapshots

  private void addSnapshots() {
    add(
        "savevm",
        "tag",
        "save a VM snapshot. If no tag is provided, a new snapshot is created",
        (given, out) -> snapshots(() -> save(given.textOrNull("name"))),
        optional("name", Kind.STRING));
    add(
        "loadvm",
        "tag",
        "restore a VM snapshot from its tag",
        (given, out) -> snapshots(() -> load(given.text("name"))),
        required("name", Kind.STRING));
    add(
        "delvm",
        "tag",
        "delete a VM snapshot from its tag",
        (given, out) -> snapshots(() -> snapshots.delete(given.text("name"), snapshots.keepers())),
        required("name", Kind.STRING));
    table.addInfo(
        new HumanCommand(
            "snapshots",
            List.of(),
            "",
            "show the currently saved VM snapshots",
            (given, out) -> list(out)));
  }

  /** Something with the machine's snapshots. */
  @FunctionalInterface
  private interface SnapshotAction {
    @InCoroutine
    void run() throws BlockException;
  }

  @InCoroutine
  private static void snapshots(SnapshotAction action) throws CommandException {
    try {
      action.run();
    } catch (BlockException e) {
      throw new CommandException(String.valueOf(e.getMessage()));
    }
  }

  @InCoroutine
  private void save(@Nullable String tag) throws BlockException {
    String name = tag == null ? snapshots.newTag() : tag;
    snapshots.save(name, null, snapshots.keepers(), true);
  }

  @InCoroutine
  private void load(String tag) throws BlockException {
    snapshots.load(tag, null, snapshots::keepers);
  }

  private void list(StringBuilder out) {
    try {
      snapshots.list(out);
    } catch (BlockException e) {
      out.append(e.getMessage()).append('\n');
    }
  }
}
