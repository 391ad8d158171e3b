package org.tinamou.daemon.command;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.NodeReferences;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.open.FileNames;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.daemon.Daemon;
import org.tinamou.drivers.ImageCreation;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;

/** Snapshots beside an image, as an overlay over it, and inside of one. */
final class SnapshotCommands {
  private static final long NANOS_A_SECOND = 1_000_000_000L;

  private final Daemon daemon;

  SnapshotCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    for (String each :
        List.of("blockdev-snapshot", "blockdev-snapshot-sync", "blockdev-snapshot-internal-sync")) {
      list.action(each, arguments -> step(each, arguments).prepareAndCommit());
    }
    list.query("blockdev-snapshot-delete-internal-sync", this::deleteInternal);
  }

  /** The step of a transaction that does what one of the commands does. */
  TransactionStep step(String type, OptionReader arguments) throws OptionException {
    return switch (type) {
      case "blockdev-snapshot" ->
          new External(arguments.string("node"), arguments.string("overlay"));
      case "blockdev-snapshot-sync" -> new External(new NewImage(arguments));
      case "blockdev-snapshot-internal-sync" ->
          new Internal(arguments.string("device"), arguments.string("name"));
      default -> throw new OptionException("Parameter 'type' does not accept value '" + type + "'");
    };
  }

  // ------------------------------------------------------------------------------------ internal

  /** The image that keeps states: the node, or what it shows. */
  private static @Nullable InternalSnapshots keeperOrNull(BlockNode node) {
    for (BlockNode at = node; at != null; at = at.primaryChild()) {
      if (at.driverOrNull() instanceof InternalSnapshots keeper) {
        return keeper;
      }
    }
    return null;
  }

  private static InternalSnapshots keeper(BlockNode node, String device) throws BlockException {
    BlockDriver driver = node.driverOrNull();
    InternalSnapshots keeper = keeperOrNull(node);
    if (keeper != null) {
      return keeper;
    }
    throw new BlockException(
        Errno.EOPNOTSUPP,
        "Block format '%s' used by device '%s' does not support internal snapshots"
            .formatted(driver == null ? "" : driver.formatName(), device));
  }

  private final class Internal implements TransactionStep {
    private final String device;
    private final String name;
    private @Nullable BlockNode node;
    private @Nullable NodeReferences kept;
    private @Nullable DrainedSection drained;
    private InternalSnapshots.@Nullable Snapshot made;

    Internal(String device, String name) {
      this.device = device;
      this.name = name;
    }

    @Override
    public void prepare() throws BlockException {
      BlockNode found = daemon.nodes().findRoot(device);
      InternalSnapshots keeper = internal(found);
      if (name.isEmpty()) {
        throw new BlockException(Errno.EINVAL, "Name is empty");
      }
      if (keeper.find(null, name) != null) {
        throw new BlockException(
            Errno.EEXIST,
            "Snapshot with name '%s' already exists on device '%s'".formatted(name, device));
      }
      node = found;
      kept = NodeReferences.take(found);
      drained = found.drain("internal snapshot");
      long now = daemon.main().clocks().nanos(ClockType.HOST);
      try {
        keeper.createSnapshot(
            name, Math.floorDiv(now, NANOS_A_SECOND), (int) Math.floorMod(now, NANOS_A_SECOND), -1);
      } catch (BlockException e) {
        throw e.prefixed("Failed to create snapshot '%s' on device '%s': ".formatted(name, device));
      }
      made = keeper.find(null, name);
    }

    private InternalSnapshots internal(BlockNode found) throws BlockException {
      if (found.isReadOnly()) {
        throw new BlockException(Errno.EACCES, "Device '" + device + "' is read only");
      }
      return keeper(found, device);
    }

    @Override
    public void abort() {
      InternalSnapshots.Snapshot snapshot = made;
      if (snapshot == null || node == null) {
        return;
      }
      try {
        keeper(node, device).deleteSnapshot(snapshot.id());
      } catch (BlockException e) {
        daemon
            .graph()
            .diagnose(
                "Failed to delete snapshot with id '%s' and name '%s' on device '%s' in abort: %s"
                    .formatted(snapshot.id(), snapshot.name(), device, e.getMessage()));
      }
    }

    @Override
    public void clean() {
      if (drained != null) {
        drained.close();
      }
      if (kept != null) {
        kept.close();
      }
    }
  }

  private Json deleteInternal(OptionReader arguments)
      throws OptionException, BlockException, CommandException {
    String device = arguments.string("device");
    String id = arguments.stringOrNull("id");
    String name = arguments.stringOrNull("name");
    BlockNode node = daemon.nodes().findRoot(device);
    if (id == null && name == null) {
      throw new BlockException(Errno.EINVAL, "Name or id must be provided");
    }
    InternalSnapshots keeper = keeperOrNull(node);
    if (keeper == null) {
      throw BlockException.of(Errno.EOPNOTSUPP, "Failed to get a snapshot list");
    }
    InternalSnapshots.Snapshot found = keeper.find(id, name);
    if (found == null) {
      throw new BlockException(
          Errno.ENOENT,
          "Snapshot with id '%s' and name '%s' does not exist on device '%s'"
              .formatted(id == null ? "null" : id, name == null ? "null" : name, device));
    }
    try (NodeReferences kept = NodeReferences.take(node);
        DrainedSection drained = node.drain("delete snapshot")) {
      keeper.deleteSnapshot(found.id());
    }
    return NodeReport.snapshot(found);
  }

  // ------------------------------------------------------------------------------------ external

  /** An overlay that is yet to be made, or opened. */
  private final class NewImage {
    final @Nullable String device;
    final @Nullable String nodeName;
    final String file;
    final @Nullable String overlayName;
    final String format;
    final boolean existing;

    NewImage(OptionReader arguments) throws OptionException {
      device = arguments.stringOrNull("device");
      nodeName = arguments.stringOrNull("node-name");
      file = arguments.string("snapshot-file");
      overlayName = arguments.stringOrNull("snapshot-node-name");
      format = Objects.requireNonNullElse(arguments.stringOrNull("format"), "qcow2");
      existing = "existing".equals(arguments.stringOrNull("mode"));
    }

    /** The overlay, without its backing image. */
    BlockNode open(BlockNode below) throws BlockException {
      if (nodeName != null && overlayName == null) {
        throw new BlockException(Errno.EINVAL, "New overlay node-name missing");
      }
      if (overlayName != null && daemon.graph().node(overlayName) != null) {
        throw new BlockException(Errno.EEXIST, "New overlay node-name already in use");
      }
      if (!daemon.drivers().names().contains(format)) {
        throw new BlockException(Errno.EINVAL, "Unknown file format '" + format + "'");
      }
      if (!existing) {
        create(below);
      }
      Json.Members options =
          new Json.Members().put("driver", format).put("backing", new Json.Null());
      if (overlayName != null) {
        options.put("node-name", overlayName);
      }
      NodeOptions defaults = below.options().withReadOnly(false).withAutoReadOnly(false);
      return daemon.open(new ImageAddress(file, options, OptionReader.Style.LOOSE), defaults);
    }

    private void create(BlockNode below) throws BlockException {
      try {
        daemon.makeImage(file, format, options(below));
      } catch (OptionException e) {
        throw new BlockException(Errno.EINVAL, e.getMessage());
      }
    }

    private OptionValues options(BlockNode below) throws BlockException, OptionException {
      BlockDriver driver = below.driver();
      if (FileNames.of(below).equals(file)) {
        throw new OptionException(
            "Error: Trying to create an image with the same filename as the backing file");
      }
      String text =
          "size=%d,backing_file=%s,backing_fmt=%s"
              .formatted(
                  below.lengthBytes(), FileNames.of(below).replace(",", ",,"), driver.formatName());
      OptionSchema known = ImageCreation.options(format);
      if (!known.accepts("backing_file")) {
        throw new OptionException("Backing file not supported for file format '" + format + "'");
      }
      return known.parse(text);
    }
  }

  /** What a node shows goes on in an overlay over it. */
  private final class External implements TransactionStep {
    private final @Nullable String nodeName;
    private final @Nullable String overlayName;
    private final @Nullable NewImage image;
    private @Nullable BlockNode below;
    private @Nullable NodeReferences kept;
    private @Nullable BlockNode overlay;
    private @Nullable DrainedSection drained;
    private boolean appended;

    External(String nodeName, String overlayName) {
      this.nodeName = nodeName;
      this.overlayName = overlayName;
      this.image = null;
    }

    External(NewImage image) {
      this.nodeName = null;
      this.overlayName = null;
      this.image = image;
    }

    @Override
    public void prepare() throws BlockException {
      BlockNode node =
          image == null
              ? daemon.nodes().find(Objects.requireNonNull(nodeName))
              : daemon.nodes().find(image.device, image.nodeName);
      daemon.nodes().refuseBusy(node);
      kept = NodeReferences.take(node);
      below = node;
      drained = node.drain("snapshot");
      if (!node.isReadOnly() && !node.isInactive()) {
        flush(node);
      }
      BlockNode top = image == null ? given() : image.open(node);
      overlay = top;
      checkOverlay(top);
      daemon
          .graph()
          .reopen(
              List.of(
                  new ReopenChange(
                      top,
                      top.options(),
                      null,
                      List.of(
                          new ReopenChange.ChildChange(
                              "backing", java.util.Set.of(EdgeRole.COPY_ON_WRITE), node)))));
      appended = true;
      daemon.graph().replace(node, top);
    }

    private void flush(BlockNode node) throws BlockException {
      try {
        node.flush();
      } catch (BlockException e) {
        throw new BlockException(Errno.EIO, "An IO error has occurred");
      }
    }

    private BlockNode given() throws BlockException {
      BlockNode found = daemon.nodes().find(Objects.requireNonNull(overlayName));
      if (!found.parents().isEmpty()) {
        throw new BlockException(Errno.EBUSY, "The overlay is already in use");
      }
      daemon.graph().reference(found);
      return found;
    }

    private void checkOverlay(BlockNode top) throws BlockException {
      if (NodeCommands.copiedFrom(top) != null) {
        throw new BlockException(Errno.EINVAL, "The overlay already has a backing image");
      }
      if (!(top.driverOrNull() instanceof org.tinamou.drivers.OverlayImage)) {
        throw new BlockException(Errno.EOPNOTSUPP, "The overlay does not support backing images");
      }
    }

    @Override
    public void commit() {
      BlockNode node = below;
      if (node == null || node.isReadOnly()) {
        return;
      }
      try {
        daemon.setReadOnly(node, true);
      } catch (BlockException e) {
        // Somebody else still writes to it: then it stays as it is.
        daemon
            .graph()
            .diagnose("Could not make '" + node.name() + "' read-only: " + e.getMessage());
      }
    }

    @Override
    public void abort() {
      BlockNode node = below;
      BlockNode top = overlay;
      if (node == null || top == null || !appended) {
        return;
      }
      try {
        daemon.graph().replace(top, node);
        daemon
            .graph()
            .reopen(
                List.of(
                    new ReopenChange(
                        top,
                        top.options(),
                        null,
                        List.of(
                            new ReopenChange.ChildChange("backing", java.util.Set.of(), null)))));
      } catch (BlockException e) {
        throw new IllegalStateException("a snapshot cannot be undone: " + e.getMessage(), e);
      }
    }

    @Override
    public void clean() {
      if (drained != null) {
        drained.close();
      }
      if (overlay != null) {
        daemon.graph().release(overlay);
      }
      if (kept != null) {
        kept.close();
      }
    }
  }
}
