package org.tinamou.daemon.command;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeNames;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.NodeReferences;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.open.FileNames;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.object.IoThreadObject;
import org.tinamou.drivers.ChangeableChildren;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Adding, changing, moving and deleting nodes. */
final class NodeCommands {
  private static final String NODE_NAME = "node-name";

  /** So that an offset can be rounded up by a request without running over. */
  private static final long MAX_LENGTH_BYTES = Long.MAX_VALUE & -(1L << 30);

  private final Daemon daemon;

  NodeCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.action("blockdev-add", this::add);
    list.action("blockdev-del", arguments -> daemon.nodes().delete(arguments.string(NODE_NAME)));
    list.action("blockdev-reopen", new ReopenCommand(daemon)::run);
    list.action("blockdev-replace", this::replace);
    list.action("blockdev-set-active", this::setActive);
    list.action("x-blockdev-change", this::changeChildren);
    list.action("x-blockdev-set-iothread", this::setIoThread);
    list.action("block_resize", this::resize);
    list.action("block-set-write-threshold", this::setWriteThreshold);
    list.action("change-backing-file", this::changeBackingFile);
  }

  private void add(OptionReader arguments) throws OptionException, BlockException {
    Json.Members options = CommandList.tree(arguments);
    if (!options.members().containsKey(NODE_NAME)) {
      throw new BlockException(Errno.EINVAL, "'node-name' must be specified for the root node");
    }
    daemon.addNode(options);
  }

  // ----------------------------------------------------------------------------------- children

  /** Puts another node in the place of one child, whoever the parent is. */
  private void replace(OptionReader arguments) throws OptionException, BlockException {
    BlockNode target = daemon.nodes().get(arguments.string("new-child"));
    switch (arguments.string("parent-type")) {
      case "driver" -> {
        BlockNode parent = daemon.nodes().get(arguments.string(NODE_NAME));
        String child = arguments.string("child");
        Edge edge = parent.child(child);
        if (edge == null) {
          throw noChild(parent.name(), child);
        }
        daemon.graph().replace(edge, target);
      }
      case "export" ->
          replaceRoot(daemon.exports().get(arguments.string("export-id")).backend(), target);
      default -> {
        String device = arguments.string("qdev-id");
        BlockBackend backend = daemon.nodes().backend(device);
        if (backend == null) {
          throw new BlockException(
              ErrorClass.DEVICE_NOT_FOUND, "Device '" + device + "' not found");
        }
        replaceRoot(backend, target);
      }
    }
  }

  private void replaceRoot(BlockBackend backend, BlockNode target) throws BlockException {
    Edge root = root(backend);
    if (root == null) {
      throw new BlockException(
          ErrorClass.GENERIC_ERROR, "There is no child, try to add a new one instead");
    }
    daemon.graph().replace(root, target);
  }

  static @Nullable Edge root(BlockBackend backend) {
    BlockNode node = backend.node();
    if (node != null) {
      for (Edge edge : node.parents()) {
        if (edge.parent() == backend) {
          return edge;
        }
      }
    }
    return null;
  }

  private static BlockException noChild(String parent, String child) {
    return new BlockException(
        Errno.ENOENT, "Node '" + parent + "' does not have child '" + child + "'");
  }

  private void changeChildren(OptionReader arguments) throws OptionException, BlockException {
    String parentName = arguments.string("parent");
    BlockNode parent = daemon.nodes().find(parentName);
    String childName = arguments.stringOrNull("child");
    String nodeName = arguments.stringOrNull("node");
    if ((childName == null) == (nodeName == null)) {
      throw new BlockException(
          Errno.EINVAL,
          childName == null
              ? "Either child or node must be specified"
              : "The parameters child and node are in conflict");
    }
    if (childName != null) {
      removeChild(parent, parentName, childName);
    } else {
      addChild(parent, nodeName);
    }
  }

  private void removeChild(BlockNode parent, String parentName, String childName)
      throws BlockException {
    Edge edge = parent.child(childName);
    if (edge == null) {
      throw noChild(parentName, childName);
    }
    if (!(parent.driverOrNull() instanceof ChangeableChildren driver)) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "The node " + NodeNames.deviceOrNode(parent) + " does not support removing a child");
    }
    try (NodeReferences kept = NodeReferences.take(parent);
        DrainedSection drained = parent.drain("child removed from " + parent.name())) {
      if (parent.child(childName) != edge) { // others have removed it while this waited
        throw noChild(parentName, childName);
      }
      driver.removeChild(edge);
    }
  }

  private void addChild(BlockNode parent, String nodeName) throws BlockException {
    BlockNode child = daemon.graph().node(nodeName);
    if (child == null) {
      throw new BlockException(Errno.ENODEV, "Node '" + nodeName + "' not found");
    }
    if (!(parent.driverOrNull() instanceof ChangeableChildren driver)) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "The node " + NodeNames.deviceOrNode(parent) + " does not support adding a child");
    }
    refuseUsed(child);
    try (NodeReferences kept = NodeReferences.take(parent, child);
        DrainedSection drained = parent.drain("child added to " + parent.name())) {
      refuseUsed(child); // others may have come while this waited
      driver.addChild(child);
    }
  }

  private static void refuseUsed(BlockNode child) throws BlockException {
    if (!child.parents().isEmpty()) {
      throw new BlockException(Errno.EBUSY, "The node " + child.name() + " already has a parent");
    }
  }

  // -------------------------------------------------------------------------------------- moves

  private void setIoThread(OptionReader arguments) throws OptionException, BlockException {
    BlockNode node = daemon.nodes().get(arguments.string(NODE_NAME));
    boolean forced = arguments.bool("force", false);
    if (!forced && hasBackend(node)) {
      throw new BlockException(
          Errno.EBUSY,
          "Node "
              + node.name()
              + " is associated with a BlockBackend and could be in use (use force=true to"
              + " override this check)");
    }
    AioContext target = daemon.main();
    Json given = CommandList.value(arguments, "iothread");
    if (given instanceof Json.Text(String id)) {
      if (!(daemon.objects().find(id) instanceof IoThreadObject thread)) {
        throw new BlockException(Errno.ENOENT, "Cannot find iothread " + id);
      }
      target = thread.context();
    }
    daemon.graph().moveToContext(node, target);
  }

  private static boolean hasBackend(BlockNode node) {
    return node.parents().stream().anyMatch(edge -> edge.parent() instanceof BlockBackend);
  }

  // --------------------------------------------------------------------------------------- size

  private void resize(OptionReader arguments) throws OptionException, BlockException {
    String device = arguments.stringOrNull("device");
    BlockNode node = daemon.nodes().find(device, arguments.stringOrNull(NODE_NAME));
    long size = arguments.int64("size", 0);
    if (size < 0) {
      throw new BlockException(Errno.EINVAL, "Parameter 'size' expects a >0 size");
    }
    if (size > MAX_LENGTH_BYTES) {
      throw new BlockException(
          Errno.EFBIG, "offset(%d) exceeds maximum(%d)".formatted(size, MAX_LENGTH_BYTES));
    }
    if (daemon.jobs().blockerOf(node) != null) {
      throw new BlockException(
          Errno.EBUSY, "Device '" + (device == null ? "(null)" : device) + "' is in use");
    }
    BlockBackend backend =
        new BlockBackend(daemon.graph(), "", node.context(), Permission.RESIZE, Permission.ALL);
    try {
      backend.setFollowsNode(true);
      backend.insert(node);
      backend.truncate(size, false, PreallocationMode.OFF);
    } finally {
      backend.close();
    }
  }

  private void setWriteThreshold(OptionReader arguments) throws OptionException, BlockException {
    String name = arguments.string(NODE_NAME);
    BlockNode node = daemon.graph().node(name);
    if (node == null) {
      throw new BlockException(ErrorClass.GENERIC_ERROR, "Device '" + name + "' not found");
    }
    node.writeThreshold()
        .set(
            arguments.uint64("write-threshold", 0),
            (threshold, exceeded) ->
                daemon
                    .events()
                    .emitSoon(
                        "BLOCK_WRITE_THRESHOLD",
                        new Json.Members()
                            .put(NODE_NAME, node.name())
                            .put("amount-exceeded", exceeded)
                            .put("write-threshold", threshold)));
  }

  // ------------------------------------------------------------------------------------ backing

  private void changeBackingFile(OptionReader arguments)
      throws OptionException, BlockException, CommandException {
    BlockNode device = daemon.nodes().findRoot(arguments.string("device"));
    BlockNode image = daemon.nodes().find(null, arguments.string("image-node-name"));
    Edge below = copiedFrom(image);
    if (below == null) {
      throw new BlockException(
          Errno.EINVAL, "not allowing backing file change on an image without a backing file");
    }
    if (!isInChain(device, image)) {
      throw new BlockException(
          Errno.EINVAL, "'%s' and image file are not in the same chain".formatted(device.name()));
    }
    String name = arguments.string("backing-file");
    if (!(image.driverOrNull() instanceof OverlayImage overlay)) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "Could not change backing file to '" + name + "': Operation not supported");
    }
    var driver = below.child().driverOrNull();
    String format = driver == null ? null : driver.formatName();
    daemon.whileWritable(
        image, () -> image.work().perform(() -> overlay.changeBacking(name, format)));
  }

  static @Nullable Edge copiedFrom(BlockNode node) {
    for (Edge edge : node.children()) {
      if (edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
        return edge;
      }
    }
    return null;
  }

  private static boolean isInChain(BlockNode top, BlockNode wanted) {
    for (BlockNode at = top; ; ) {
      if (at == wanted) {
        return true;
      }
      Edge below = Edge.below(at);
      if (below == null) {
        return false;
      }
      at = below.child();
    }
  }

  // ----------------------------------------------------------------------------------- activity

  private void setActive(OptionReader arguments) throws OptionException, BlockException {
    boolean active = arguments.bool("active", true);
    String name = arguments.stringOrNull(NODE_NAME);
    if (name != null) {
      setActive(daemon.nodes().find(name), active);
      return;
    }
    for (BlockNode node : daemon.graph().nodes()) {
      if (!node.isGone() && node.parents().isEmpty()) {
        setActive(node, active);
      }
    }
  }

  private static void setActive(BlockNode node, boolean active) throws BlockException {
    try (NodeReferences kept = NodeReferences.take(node)) {
      if (active) {
        node.activate();
      } else if (!node.isInactive()) {
        node.inactivate();
      }
    }
  }

  /** For messages: the name by which an image can be opened again. */
  static String fileName(BlockNode node) {
    return FileNames.of(node);
  }

  /** The options of a node that is opened without any of its own. */
  static final NodeOptions DEFAULTS = NodeOptions.READ_WRITE;

  static ImageAddress address(Json.Members options) {
    return new ImageAddress(null, options, OptionReader.Style.TYPED);
  }
}
