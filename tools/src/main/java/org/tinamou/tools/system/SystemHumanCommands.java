package org.tinamou.tools.system;

import static org.tinamou.monitor.hmp.HumanArgument.flag;
import static org.tinamou.monitor.hmp.HumanArgument.optional;
import static org.tinamou.monitor.hmp.HumanArgument.required;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.HeldDrives.Drive;
import org.tinamou.drivers.InternalSnapshots;
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

  private SystemHumanCommands(Daemon daemon, Drives drives, HumanTable table) {
    this.daemon = daemon;
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
        (given, out) -> refuseState("save", keepers()),
        optional("name", Kind.STRING));
    add(
        "loadvm",
        "tag",
        "restore a VM snapshot from its tag",
        (given, out) -> restore(given.text("name")),
        required("name", Kind.STRING));
    add(
        "delvm",
        "tag",
        "delete a VM snapshot from its tag",
        (given, out) -> deleteSnapshots(given.text("name")),
        required("name", Kind.STRING));
  }

  @InCoroutine
  private void restore(String name) throws CommandException {
    List<InternalSnapshots> keepers = keepers();
    if (keepers.stream().anyMatch(each -> each.find(null, name) == null)) {
      throw new CommandException("Snapshot '" + name + "' does not exist in one or more devices");
    }
    refuseState("restore", keepers);
  }

  /** There is no machine whose state could be kept. */
  private static void refuseState(String verb, List<InternalSnapshots> keepers)
      throws CommandException {
    if (keepers.isEmpty()) {
      throw new CommandException("no block device can store vmstate for snapshot");
    }
    throw new CommandException(
        "This version of Tinamou cannot " + verb + " the state of a machine");
  }

  @InCoroutine
  private void deleteSnapshots(String name) throws CommandException {
    for (InternalSnapshots keeper : keepers()) {
      InternalSnapshots.Snapshot snapshot = keeper.find(null, name);
      if (snapshot != null) {
        try {
          keeper.deleteSnapshot(snapshot.id());
        } catch (BlockException e) {
          throw new CommandException("Could not delete snapshot '" + name + "': " + e.getMessage());
        }
      }
    }
  }

  /** The images of drives and nodes that keep snapshots: all that can be written to have to. */
  private List<InternalSnapshots> keepers() throws CommandException {
    List<InternalSnapshots> keepers = new ArrayList<>();
    for (Drive drive : daemon.drives().all()) {
      BlockNode node = drive.backend().node();
      if (node != null) {
        addKeeper(drive.backend().name(), node, keepers);
      }
    }
    for (BlockNode node : daemon.graph().nodes()) {
      boolean shown =
          node.parents().stream().anyMatch(edge -> edge.parent() instanceof BlockBackend);
      if (daemon.nodes().holds(node) && !shown) {
        addKeeper(node.name(), node, keepers);
      }
    }
    return keepers;
  }

  private static void addKeeper(String name, BlockNode node, List<InternalSnapshots> into)
      throws CommandException {
    if (node.isReadOnly()) {
      return;
    }
    for (BlockNode at = node; at != null; at = at.primaryChild()) {
      if (at.driverOrNull() instanceof InternalSnapshots keeper) {
        into.add(keeper);
        return;
      }
    }
    throw new CommandException("Device '" + name + "' is writable but does not support snapshots");
  }
}
