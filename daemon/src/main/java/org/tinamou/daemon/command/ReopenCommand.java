package org.tinamou.daemon.command;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeNames;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.open.GenericOptions;
import org.tinamou.daemon.Daemon;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.drivers.filter.preallocate.PreallocateDriver;
import org.tinamou.drivers.filter.preallocate.PreallocateType;
import org.tinamou.drivers.format.qcow2.Qcow2Driver;
import org.tinamou.drivers.format.raw.RawFormat;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.MemberOrder;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionReader.Choice;
import org.tinamou.qapi.OptionTree;

/**
 * Gives nodes other options. What is not given goes back to what it is when a node is opened
 * without it; what cannot be changed has to be given as it is.
 */
final class ReopenCommand {
  private static final Set<String> OF_EVERY_NODE =
      Set.of(
          "driver",
          "node-name",
          "read-only",
          "auto-read-only",
          "force-share",
          "cache.direct",
          "cache.no-flush",
          "discard",
          "detect-zeroes");

  /** Filters whose options stay as they are, and their children's names too. */
  private static final Set<String> FIXED =
      Set.of(
          "blklogwrites",
          "blkverify",
          "compress",
          "copy-before-write",
          "copy-on-read",
          "snapshot-access");

  private final Daemon daemon;

  ReopenCommand(Daemon daemon) {
    this.daemon = daemon;
  }

  @InCoroutine
  void run(OptionReader arguments) throws OptionException, BlockException {
    Map<BlockNode, ReopenChange> changes = new LinkedHashMap<>();
    for (OptionReader options : arguments.objects("options")) {
      String name = options.stringOrNull("node-name");
      if (name == null) {
        throw new BlockException(Errno.EINVAL, "node-name not specified");
      }
      BlockNode node = daemon.nodes().get(name);
      plan(node, options, NodeOptions.READ_WRITE, changes);
    }
    if (!changes.isEmpty()) {
      daemon.graph().reopen(List.copyOf(changes.values()));
    }
  }

  private void plan(
      BlockNode node,
      OptionReader options,
      NodeOptions defaults,
      Map<BlockNode, ReopenChange> changes)
      throws OptionException, BlockException {
    String driver = options.stringOrNull("driver");
    NodeOptions settings = GenericOptions.read(options, defaults);
    refuseFixed(node);
    refuseReset(node, options.flat());
    refuseWithoutBacking(node, options.flat());
    List<ReopenChange.ChildChange> children = new ArrayList<>();
    changes.put(node, new ReopenChange(node, settings, null, List.of()));
    for (String child : childNames(node)) {
      planChild(node, child, options, settings, children, changes);
    }
    if (driver != null && !driver.equals(node.driver().formatName())) {
      throw refused("driver");
    }
    Object ofDriver = driverOptions(node, options, settings);
    changes.put(node, new ReopenChange(node, settings, ofDriver, children));
  }

  private static void refuseFixed(BlockNode node) throws BlockException {
    String format = node.driver().formatName();
    if (FIXED.contains(format) || !(node.driver() instanceof BlockDriver.Reopenable)) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "Block format '%s' used by node '%s' does not support reopening files"
              .formatted(format, NodeNames.deviceOrNode(node)));
    }
  }

  /** What a driver was opened with has to be said again, unless it can go back to its default. */
  private static void refuseReset(BlockNode node, Map<String, Json> given) throws BlockException {
    for (String key : MemberOrder.sorted(node.origin().options().keySet())) {
      boolean asked = key.equals("force-share") || isOwn(node, key);
      if (asked && !given.containsKey(key) && !isChangeable(node, key)) {
        throw new BlockException(
            Errno.EINVAL, "Option '" + key + "' cannot be reset to its default value");
      }
    }
  }

  /** What shows through an image is named each time. */
  private static void refuseWithoutBacking(BlockNode node, Map<String, Json> given)
      throws BlockException {
    boolean named =
        given.keySet().stream()
            .anyMatch(key -> key.equals("backing") || key.startsWith("backing."));
    if (!named && node.driverOrNull() instanceof OverlayImage && node.child("backing") != null) {
      throw new BlockException(Errno.EINVAL, "backing is missing for '" + node.name() + "'");
    }
  }

  /** Whether a driver can do without an option that it had. */
  private static boolean isChangeable(BlockNode node, String key) {
    return switch (node.driverOrNull()) {
      case RawFormat _ -> key.equals("offset") || key.equals("size");
      case Qcow2Driver _ -> Qcow2Driver.canChange(key);
      case null, default -> false;
    };
  }

  private static BlockException refused(String option) {
    return new BlockException(Errno.EINVAL, "Cannot change the option '" + option + "'");
  }

  private static List<String> childNames(BlockNode node) {
    List<String> names = new ArrayList<>();
    node.children().forEach(edge -> names.add(edge.name()));
    if (node.driverOrNull() instanceof OverlayImage && !names.contains("backing")) {
      names.add("backing");
    }
    return names;
  }

  // ----------------------------------------------------------------------------------- children

  private void planChild(
      BlockNode node,
      String name,
      OptionReader options,
      NodeOptions settings,
      List<ReopenChange.ChildChange> children,
      Map<BlockNode, ReopenChange> changes)
      throws OptionException, BlockException {
    Edge edge = node.child(name);
    Choice choice = options.choiceOrNull(name, "BlockdevRefOrNull");
    switch (choice) {
      case Choice.Named(String reference) -> {
        boolean replaceable = name.equals("file") || name.equals("backing");
        if (!replaceable && (edge == null || !edge.child().name().equals(reference))) {
          throw refused(name);
        }
        BlockNode target = daemon.nodes().find(null, reference);
        if (edge == null || NodeNames.shown(edge.child()) != target) {
          refuseImplicit(node, edge);
          children.add(new ReopenChange.ChildChange(name, roles(edge, name), target));
        } else if (!daemon.nodes().holds(target)) {
          inherit(node, target, settings, changes);
        }
      }
      case Choice.None() -> {
        if (edge != null) {
          refuseImplicit(node, edge);
          children.add(new ReopenChange.ChildChange(name, Set.of(), null));
        }
      }
      case Choice.Inline(OptionReader inline) -> {
        BlockNode child = edge == null ? null : edge.child();
        String childName = inline.stringOrNull("node-name");
        boolean same = child != null && (childName == null || childName.equals(child.name()));
        if (!same || child == null || daemon.nodes().holds(child)) {
          throw refused(name);
        }
        plan(child, inline, forChild(node, child, settings), changes);
      }
      case null -> {
        if (edge != null && !daemon.nodes().holds(edge.child())) {
          inherit(node, edge.child(), settings, changes);
        }
      }
    }
  }

  /** What a job has put there stays until the job ends. */
  private static void refuseImplicit(BlockNode node, @Nullable Edge edge) throws BlockException {
    if (edge != null && NodeNames.shown(edge.child()) != edge.child()) {
      throw new BlockException(
          Errno.EINVAL,
          "Cannot replace implicit %s child of %s".formatted(edge.name(), node.name()));
    }
  }

  private static Set<EdgeRole> roles(@Nullable Edge edge, String name) {
    if (edge != null) {
      return edge.roles();
    }
    return name.equals("backing") ? Set.of(EdgeRole.COPY_ON_WRITE) : Set.of();
  }

  private static NodeOptions forChild(BlockNode node, BlockNode child, NodeOptions settings) {
    for (Edge edge : node.children()) {
      if (edge.child() == child) {
        return GenericOptions.forChild(settings, edge.roles(), false);
      }
    }
    return settings;
  }

  /** A child that was opened with its parent and is not spoken of takes over what it did then. */
  private void inherit(
      BlockNode node, BlockNode child, NodeOptions settings, Map<BlockNode, ReopenChange> changes)
      throws OptionException, BlockException {
    if (changes.containsKey(child)) {
      return;
    }
    OptionReader own =
        OptionReader.of(
            OptionTree.nest(new LinkedHashMap<>(child.origin().options())),
            OptionReader.Style.LOOSE);
    NodeOptions taken = GenericOptions.read(own, forChild(node, child, settings));
    changes.put(child, new ReopenChange(child, taken, null, List.of()));
  }

  // --------------------------------------------------------------------------- of one driver only

  /** What a driver is told beside; anything it cannot change has to be as it was. */
  private static @Nullable Object driverOptions(
      BlockNode node, OptionReader options, NodeOptions settings)
      throws OptionException, BlockException {
    Map<String, Json> given = options.flat();
    Map<String, Json> before = node.origin().options();
    BlockDriver driver = node.driverOrNull();
    boolean raw = driver instanceof RawFormat;
    boolean preallocate = driver instanceof PreallocateDriver;
    for (Map.Entry<String, Json> each : given.entrySet()) {
      String key = each.getKey();
      boolean changeable = preallocate || isChangeable(node, key);
      if (isOwn(node, key) && !changeable && !each.getValue().equals(before.get(key))) {
        throw refused(key);
      }
    }
    if (driver instanceof Qcow2Driver image) {
      return image.runtimeOptions(options, settings.discardUnmap());
    }
    if (preallocate) {
      return PreallocateType.sizes(options);
    }
    if (!raw
        || (!given.containsKey("offset")
            && !before.containsKey("offset")
            && !given.containsKey("size")
            && !before.containsKey("size"))) {
      return null;
    }
    Long size = options.bytesOrNull("size");
    return new RawFormat.Window(options.bytes("offset", 0), size == null ? -1 : size);
  }

  private static boolean isOwn(BlockNode node, String key) {
    if (OF_EVERY_NODE.contains(key)) {
      return false;
    }
    int dot = key.indexOf('.');
    String first = dot < 0 ? key : key.substring(0, dot);
    return !childNames(node).contains(first);
  }
}
