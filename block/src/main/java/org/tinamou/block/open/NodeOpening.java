package org.tinamou.block.open;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** A node being opened, as its driver sees it: options to read, children to open. Main loop. */
public final class NodeOpening {
  /**
   * The children that are there already, or have a name to be opened by.
   *
   * @param nodes the opener holds a reference to each until the node is open
   */
  record Prepared(Map<String, BlockNode> nodes, Map<String, String> fileNames, boolean probed) {
    static final Prepared NOTHING = new Prepared(Map.of(), Map.of(), false);
  }

  private final NodeOpener opener;
  private final DriverType type;
  private final BlockNode node;
  private final OptionReader options;
  private final NodeOptions settings;
  private final Prepared prepared;

  NodeOpening(
      NodeOpener opener,
      DriverType type,
      BlockNode node,
      OptionReader options,
      NodeOptions settings,
      Prepared prepared) {
    this.opener = opener;
    this.type = type;
    this.node = node;
    this.options = options;
    this.settings = settings;
    this.prepared = prepared;
  }

  public BlockNode node() {
    return node;
  }

  /** The node's options. Those every node has are read already. */
  public OptionReader options() {
    return options;
  }

  /** What was read of the options that every node has. */
  public NodeOptions settings() {
    return settings;
  }

  /** The name a child is to be opened by, if the node was given just a name; else null. */
  public @Nullable String fileName(String childName) {
    return prepared.fileNames().get(childName);
  }

  /** Whether what the image names as being below it is wanted. */
  public boolean opensBacking() {
    return opener.opensBacking();
  }

  /**
   * Tells which file or device of the host was opened for the node, by its numbers.
   *
   * @throws BlockException if an image that names this one, directly or not, is in the same file
   */
  @HomeThread
  public void foundFile(long device, long inode) throws BlockException {
    opener.chain().found(device, inode);
  }

  /** How formats are recognised. */
  public FormatProbe probe() {
    return opener.drivers().probe();
  }

  /** Whether the format was found by looking at the data. */
  public boolean isProbed() {
    return prepared.probed();
  }

  /**
   * Opens a child and attaches it. Until the node's parents say what they need it is only read.
   *
   * @throws BlockException if the child is not given or cannot be opened
   */
  @InCoroutine
  public Edge child(String name, Set<EdgeRole> roles, int used, int shared)
      throws BlockException, OptionException {
    Edge edge = childOrNull(name, roles, used, shared);
    if (edge == null) {
      throw new BlockException(
          Errno.EINVAL, "A block device must be specified for \"" + name + "\"");
    }
    return edge;
  }

  /** As {@link #child}; null if the child is not given. */
  @InCoroutine
  public @Nullable Edge childOrNull(String name, Set<EdgeRole> roles, int used, int shared)
      throws BlockException, OptionException {
    boolean protocol =
        (!roles.contains(EdgeRole.COPY_ON_WRITE) && !roles.contains(EdgeRole.FILTERED))
            || isFileOfFormat(name);
    return childOrNull(name, prepared.fileNames().get(name), protocol, roles, used, shared);
  }

  /**
   * As {@link #childOrNull(String, Set, int, int)}, for drivers that have a say in how the child is
   * opened.
   *
   * @param fileName the child's name if the driver knows it from its own, or null
   * @param protocol whether a child without a driver is a protocol rather than any format
   */
  @InCoroutine
  public @Nullable Edge childOrNull(
      String name,
      @Nullable String fileName,
      boolean protocol,
      Set<EdgeRole> roles,
      int used,
      int shared)
      throws BlockException, OptionException {
    BlockNode ready = prepared.nodes().get(name);
    if (ready != null) {
      claim(name, ready);
      return node.attachChild(name, roles, ready, used, shared);
    }
    OptionReader.Choice choice = options.choiceOrNull(name, "BlockdevRef");
    if (fileName == null && (choice == null || choice instanceof OptionReader.Choice.None)) {
      return null;
    }
    return attachOpened(name, fileName, choice, protocol, roles, used, shared);
  }

  /**
   * Opens and attaches the elements of a list of children, which are named by their places in it.
   *
   * @param choices what the list has, as {@link OptionReader#choices} reads it
   */
  @InCoroutine
  public List<Edge> children(
      String name, List<OptionReader.Choice> choices, Set<EdgeRole> roles, int used, int shared)
      throws BlockException, OptionException {
    List<Edge> edges = new ArrayList<>();
    for (OptionReader.Choice choice : choices) {
      String element = name + "." + edges.size();
      edges.add(attachOpened(element, null, choice, false, roles, used, shared));
    }
    return edges;
  }

  private Edge attachOpened(
      String name,
      @Nullable String fileName,
      OptionReader.@Nullable Choice choice,
      boolean protocol,
      Set<EdgeRole> roles,
      int used,
      int shared)
      throws BlockException, OptionException {
    NodeOptions defaults = GenericOptions.forChild(settings, roles, type.isFilter());
    return attach(
        opener.openChild(
            name, fileName, choice, options.style(), defaults, protocol, node.context()),
        name,
        roles,
        used,
        shared);
  }

  /** A child that is not just referred to takes its settings over from here, later ones too. */
  private void claim(String name, BlockNode child) {
    if (!(options.flat().get(name) instanceof Json.Text)) {
      child.origin(child.origin().with(node));
    }
  }

  /** Attaches a node, of which the caller's reference is given up. */
  private Edge attach(BlockNode child, String name, Set<EdgeRole> roles, int used, int shared)
      throws BlockException {
    try {
      claim(name, child);
      return node.attachChild(name, roles, child, used, shared);
    } finally {
      node.graph().release(child);
    }
  }

  /**
   * As {@link #child}, for a child that the image itself names. An option of the child's name comes
   * first; null or the empty text there means that it is not wanted.
   *
   * @param inImage what the image says; null if it names none
   */
  @InCoroutine
  public @Nullable Edge imageChildOrNull(
      String name, Set<EdgeRole> roles, int used, int shared, @Nullable ImageAddress inImage)
      throws BlockException, OptionException {
    return imageChildOrNull(name, roles, used, shared, inImage, opener.opensBacking());
  }

  /**
   * The same.
   *
   * @param wanted whether what the image names is to be opened at all
   */
  @InCoroutine
  public @Nullable Edge imageChildOrNull(
      String name,
      Set<EdgeRole> roles,
      int used,
      int shared,
      @Nullable ImageAddress inImage,
      boolean wanted)
      throws BlockException, OptionException {
    OptionReader.Choice choice = options.choiceOrNull(name, "BlockdevRefOrNull");
    boolean declined =
        choice instanceof OptionReader.Choice.None
            || (choice instanceof OptionReader.Choice.Named(String text) && text.isEmpty());
    if (declined || (choice == null && (inImage == null || !wanted))) {
      return null;
    }
    BlockNode below;
    try {
      below = openImageChild(name, roles, choice, inImage);
    } catch (BlockException e) {
      throw roles.contains(EdgeRole.COPY_ON_WRITE)
          ? e.prefixed("Could not open backing file: ")
          : e;
    }
    return attach(below, name, roles, used, shared);
  }

  /** The caller holds a reference to the node. */
  private BlockNode openImageChild(
      String name,
      Set<EdgeRole> roles,
      OptionReader.@Nullable Choice choice,
      @Nullable ImageAddress inImage)
      throws BlockException, OptionException {
    NodeOptions defaults = GenericOptions.forChild(settings, roles, type.isFilter());
    boolean complete =
        options.style() != OptionReader.Style.LOOSE && choice instanceof OptionReader.Choice.Inline;
    if (inImage == null || complete || choice instanceof OptionReader.Choice.Named) {
      return opener.openChild(name, null, choice, options.style(), defaults, false, node.context());
    }
    ImageAddress address = inImage;
    if (choice instanceof OptionReader.Choice.Inline(OptionReader overrides)) {
      address = inImage.overriddenBy(overrides);
    }
    opener.chain().enter(address.fileName() == null ? "" : address.fileName(), name);
    try {
      return opener.openLinked(opener.gate().admit(node, name, address), defaults, node.context());
    } finally {
      opener.chain().leave();
    }
  }

  /** Raw shows its file as it is, and yet opens it like any other format. */
  private boolean isFileOfFormat(String name) {
    return name.equals("file") && !type.isFilter();
  }
}
