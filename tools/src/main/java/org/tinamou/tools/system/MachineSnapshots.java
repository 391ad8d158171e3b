package org.tinamou.tools.system;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.HeldDrives.Drive;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.qapi.Json;
import org.tinamou.tools.img.SnapshotText;

/**
 * Saves and restores the machine inside of its images: all disks that can be written to at one
 * moment, and the state of the machine with one of them. A machine without a processor has no more
 * state than that it is one, which keeps it from going on from where another one was. Main loop.
 */
final class MachineSnapshots {
  private static final byte[] STATE =
      "Tinamou: the state of a machine without a processor\n".getBytes(StandardCharsets.US_ASCII);
  private static final long NANOS_A_SECOND = 1_000_000_000L;

  /**
   * A disk that keeps snapshots.
   *
   * @param name the drive's, or the node's
   */
  record Keeper(String name, BlockNode node, InternalSnapshots snapshots) {
    InternalSnapshots.@Nullable Snapshot find(String tag) {
      return snapshots.find(null, tag);
    }
  }

  private final Daemon daemon;

  MachineSnapshots(Daemon daemon) {
    this.daemon = daemon;
  }

  // -------------------------------------------------------------------------------------- disks

  /** All drives and nodes that can be written to; each has to be able to keep snapshots. */
  List<Keeper> keepers() throws BlockException {
    List<Keeper> keepers = new ArrayList<>();
    for (Drive drive : daemon.drives().all()) {
      BlockNode node = drive.backend().node();
      if (node != null) {
        addKeeper(drive.backend().name(), node, keepers);
      }
    }
    for (BlockNode node : heldApart()) {
      addKeeper(node.name(), node, keepers);
    }
    return keepers;
  }

  /** The nodes that were added by themselves and that no drive shows. */
  private List<BlockNode> heldApart() {
    List<BlockNode> nodes = new ArrayList<>();
    for (BlockNode node : daemon.graph().nodes()) {
      if (daemon.nodes().holds(node) && node.parents().isEmpty()) {
        nodes.add(node);
      }
    }
    return nodes;
  }

  /** The nodes of these names. */
  List<Keeper> keepers(List<String> names) throws BlockException {
    if (names.isEmpty()) {
      throw refused("At least one device is required for snapshot");
    }
    List<Keeper> keepers = new ArrayList<>();
    for (String name : names) {
      BlockNode node = daemon.graph().node(name);
      if (node == null) {
        throw refused("No block device node '" + name + "'");
      }
      addKeeper(name, node, keepers);
    }
    return keepers;
  }

  private static void addKeeper(String name, BlockNode node, List<Keeper> into)
      throws BlockException {
    if (node.isReadOnly()) {
      return;
    }
    InternalSnapshots snapshots = snapshots(node);
    if (snapshots == null) {
      throw refused("Device '" + name + "' is writable but does not support snapshots");
    }
    into.add(new Keeper(name, node, snapshots));
  }

  private static @Nullable InternalSnapshots snapshots(BlockNode node) {
    for (BlockNode at = node; at != null; at = at.primaryChild()) {
      if (at.driverOrNull() instanceof InternalSnapshots snapshots) {
        return snapshots;
      }
    }
    return null;
  }

  private static BlockException refused(String message) {
    return new BlockException(Errno.EINVAL, message);
  }

  /** Which disk the machine's state goes with: the named one, else the first. */
  private static Keeper stateKeeper(@Nullable String name, List<Keeper> keepers)
      throws BlockException {
    for (Keeper each : keepers) {
      if (name == null || name.equals(each.name())) {
        return each;
      }
    }
    throw refused(
        name == null
            ? "no block device can store vmstate for snapshot"
            : "vmstate block device '" + name + "' does not exist");
  }

  private DrainedSection drain(List<Keeper> keepers) throws BlockException {
    for (Keeper each : keepers) {
      daemon.jobs().checkNotBlocked(each.node());
    }
    return daemon.graph().drain(keepers.stream().map(Keeper::node).toList(), "snapshot");
  }

  // ------------------------------------------------------------------------------------- saving

  /** A name that tells the time. */
  String newTag() {
    long seconds = Math.floorDiv(daemon.main().clocks().nanos(ClockType.HOST), NANOS_A_SECOND);
    return DateTimeFormatter.ofPattern("'vm-'yyyyMMddHHmmss")
        .withZone(ZoneId.systemDefault())
        .format(Instant.ofEpochSecond(seconds));
  }

  /**
   * Saves all.
   *
   * @param stateName the disk for the machine's state, or null for any
   * @param replaces whether snapshots of that name make room
   */
  @InCoroutine
  void save(String tag, @Nullable String stateName, List<Keeper> keepers, boolean replaces)
      throws BlockException {
    if (replaces) {
      delete(tag, keepers);
    } else if (keepers.stream().anyMatch(each -> each.find(tag) != null)) {
      throw refused("Snapshot '" + tag + "' already exists in one or more devices");
    }
    Keeper state = stateKeeper(stateName, keepers);
    boolean ran = stop("save-vm");
    try (DrainedSection drained = drain(keepers)) {
      create(tag, state, keepers);
    } finally {
      if (ran) {
        go();
      }
    }
  }

  private void create(String tag, Keeper state, List<Keeper> keepers) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment bytes = arena.allocate(STATE.length);
      bytes.copyFrom(MemorySegment.ofArray(STATE));
      state.snapshots().writeVmState(0, IoVector.of(bytes));
    }
    long now = daemon.main().clocks().nanos(ClockType.HOST);
    List<Keeper> done = new ArrayList<>();
    for (Keeper each : keepers) {
      try {
        each.snapshots()
            .createSnapshot(
                tag,
                Math.floorDiv(now, NANOS_A_SECOND),
                (int) Math.floorMod(now, NANOS_A_SECOND),
                -1,
                each.equals(state) ? STATE.length : 0);
        done.add(each);
      } catch (BlockException e) {
        delete(tag, done);
        throw e.prefixed("Could not create snapshot '" + tag + "' on '" + each.name() + "': ");
      }
    }
  }

  private boolean stop(String runState) {
    boolean ran = daemon.isRunning();
    if (ran) {
      daemon.stopFor(runState);
      daemon.events().emit("STOP", new Json.Members());
    }
    return ran;
  }

  private void go() {
    daemon.setRunning(true);
    daemon.events().emit("RESUME", new Json.Members());
  }

  // ---------------------------------------------------------------------------------- restoring

  /** Which disks are meant; asked once the machine has stopped. */
  @FunctionalInterface
  interface Choice {
    List<Keeper> keepers() throws BlockException;
  }

  /** Goes back to what was saved. If that fails the machine stays stopped. */
  @InCoroutine
  void load(String tag, @Nullable String stateName, Choice choice) throws BlockException {
    boolean ran = stop("restore-vm");
    List<Keeper> keepers = choice.keepers();
    if (keepers.isEmpty()) {
      stateKeeper(null, keepers);
    }
    if (keepers.stream().anyMatch(each -> each.find(tag) == null)) {
      throw refused("Snapshot '" + tag + "' does not exist in one or more devices");
    }
    Keeper state = stateKeeper(stateName, keepers);
    InternalSnapshots.Snapshot saved = state.find(tag);
    if (saved == null || saved.vmStateBytes() == 0) {
      throw refused("This is a disk-only snapshot. Revert to it  offline using qemu-img");
    }
    if (saved.vmStateBytes() != STATE.length) {
      throw refused("Snapshot '" + tag + "' has the state of another machine");
    }
    try (DrainedSection drained = drain(keepers)) {
      apply(tag, keepers);
      check(tag, state);
    }
    if (ran) {
      go();
    }
  }

  private static void apply(String tag, List<Keeper> keepers) throws BlockException {
    for (Keeper each : keepers) {
      InternalSnapshots.Snapshot snapshot = each.find(tag);
      if (snapshot == null) {
        continue;
      }
      try {
        each.snapshots().applySnapshot(snapshot.id());
      } catch (BlockException e) {
        throw e.prefixed("Could not load snapshot '" + tag + "' on '" + each.name() + "': ");
      }
    }
  }

  private static void check(String tag, Keeper state) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment bytes = arena.allocate(STATE.length);
      state.snapshots().readVmState(0, IoVector.of(bytes));
      if (!Arrays.equals(STATE, bytes.toArray(ValueLayout.JAVA_BYTE))) {
        throw refused("Snapshot '" + tag + "' has the state of another machine");
      }
    }
  }

  // ----------------------------------------------------------------------------------- deleting

  /** Deletes what is there of a name. */
  @InCoroutine
  void delete(String tag, List<Keeper> keepers) throws BlockException {
    for (Keeper each : keepers) {
      InternalSnapshots.Snapshot snapshot = each.find(tag);
      if (snapshot != null) {
        try (DrainedSection drained = each.node().drain("snapshot")) {
          each.snapshots().deleteSnapshot(snapshot.id());
        } catch (BlockException e) {
          throw e.prefixed("Could not delete snapshot '" + tag + "': ");
        }
      }
    }
  }

  // ------------------------------------------------------------------------------------ listing

  /** One disk's part of the list. */
  private record Shown(
      String name, boolean keepsSnapshots, List<InternalSnapshots.Snapshot> snapshots) {}

  /** Lists what all disks have, and what only some of them do. */
  void list(StringBuilder out) throws BlockException {
    List<Shown> disks = shown();
    if (disks.stream().noneMatch(Shown::keepsSnapshots)) {
      throw refused("no block device can store vmstate for snapshot");
    }
    List<InternalSnapshots.Snapshot> everywhere =
        disks.getFirst().snapshots().stream()
            .filter(each -> disks.stream().allMatch(disk -> has(disk, each.name())))
            .toList();
    StringBuilder partial = new StringBuilder();
    for (Shown disk : disks) {
      List<InternalSnapshots.Snapshot> only =
          disk.snapshots().stream().filter(each -> !hasName(everywhere, each.name())).toList();
      if (!only.isEmpty()) {
        partial.append("\nList of partial (non-loadable) snapshots on '");
        partial.append(disk.name()).append("':\n");
        SnapshotText.lines(only, false).forEach(line -> partial.append(line).append('\n'));
      }
    }
    if (everywhere.isEmpty() && partial.isEmpty()) {
      out.append("There is no snapshot available.\n");
      return;
    }
    out.append("List of snapshots present on all disks:\n");
    if (everywhere.isEmpty()) {
      out.append("None\n");
    } else {
      SnapshotText.lines(everywhere, true).forEach(line -> out.append(line).append('\n'));
    }
    out.append(partial);
  }

  private static boolean has(Shown disk, String name) {
    return hasName(disk.snapshots(), name);
  }

  private static boolean hasName(List<InternalSnapshots.Snapshot> among, String name) {
    return among.stream().anyMatch(each -> each.name().equals(name));
  }

  /** Nodes that no drive shows have no name here, as with the reference. */
  private List<Shown> shown() {
    List<Shown> disks = new ArrayList<>();
    for (Drive drive : daemon.drives().all()) {
      BlockBackend backend = drive.backend();
      BlockNode node = backend.node();
      if (node != null) {
        addShown(backend.name(), node, disks);
      }
    }
    heldApart().forEach(node -> addShown("", node, disks));
    return disks;
  }

  private static void addShown(String name, BlockNode node, List<Shown> into) {
    InternalSnapshots snapshots = snapshots(node);
    if (!node.isReadOnly()) {
      into.add(
          new Shown(
              name, snapshots != null, snapshots == null ? List.of() : snapshots.snapshots()));
    }
  }
}
