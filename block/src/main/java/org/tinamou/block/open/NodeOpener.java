package org.tinamou.block.open;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.NodeOrigin;
import org.tinamou.block.Permission;
import org.tinamou.block.RequestFlags;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionReader.Choice;

/**
 * Opens images: makes the nodes that names and options ask for, children before parents. Coroutines
 * of the main loop.
 */
public final class NodeOpener {
  /** How much of an image's beginning is looked at to find its format. */
  public static final int PROBE_BYTES = 512;

  private final BlockGraph graph;
  private final DriverList drivers;
  private final boolean withBacking;
  private final ImagePolicy policy;
  private final BackingChain chain;

  public NodeOpener(BlockGraph graph, DriverList drivers) {
    this(graph, drivers, true);
  }

  /**
   * @param withBacking whether what images name as being below them is opened too
   */
  public NodeOpener(BlockGraph graph, DriverList drivers, boolean withBacking) {
    this(graph, drivers, withBacking, ImagePolicy.TRUSTING);
  }

  /**
   * @param withBacking whether what images name as being below them is opened too
   * @param policy how far images are believed
   */
  public NodeOpener(BlockGraph graph, DriverList drivers, boolean withBacking, ImagePolicy policy) {
    this(graph, drivers, withBacking, policy, new BackingChain());
  }

  private NodeOpener(
      BlockGraph graph,
      DriverList drivers,
      boolean withBacking,
      ImagePolicy policy,
      BackingChain chain) {
    this.graph = graph;
    this.drivers = drivers;
    this.withBacking = withBacking;
    this.policy = policy;
    this.chain = chain;
  }

  /** The same that believes images no further than a policy says. */
  public NodeOpener under(ImagePolicy otherPolicy) {
    return new NodeOpener(graph, drivers, withBacking, otherPolicy, chain.unused());
  }

  boolean opensBacking() {
    return withBacking;
  }

  ReferenceGate gate() {
    return new ReferenceGate(policy, drivers);
  }

  public BlockGraph graph() {
    return graph;
  }

  /** How long the chains of images may be that are opened. */
  public BackingChain chain() {
    return chain;
  }

  public DriverList drivers() {
    return drivers;
  }

  /**
   * Opens an image. The caller holds one reference to the node.
   *
   * @param defaults what applies where the options do not say otherwise
   * @param context the first loop of the new nodes
   * @throws BlockException with a message for the user; nothing stays open
   */
  @InCoroutine
  public BlockNode open(ImageAddress address, NodeOptions defaults, AioContext context)
      throws BlockException {
    // What is being opened at the same time has a chain of its own.
    return new NodeOpener(graph, drivers, withBacking, policy, chain.unused())
        .openLinked(address, defaults, context);
  }

  /** Opens an image as a link of the chain. */
  BlockNode openLinked(ImageAddress address, NodeOptions defaults, AioContext context)
      throws BlockException {
    try {
      ImageAddress plain = address.unwrapped();
      OptionReader options = OptionReader.of(plain.options(), plain.style());
      return open(plain.fileName(), options, defaults, false, context);
    } catch (OptionException e) {
      throw refused(e);
    }
  }

  private static BlockException refused(OptionException e) {
    BlockException refusal = new BlockException(Errno.EINVAL, e.getMessage());
    String hint = e.hint();
    return hint == null ? refusal : refusal.withHint(hint);
  }

  /** A child's node; the caller holds a reference to it. */
  BlockNode openChild(
      String childName,
      @Nullable String fileName,
      @Nullable Choice choice,
      OptionReader.Style style,
      NodeOptions defaults,
      boolean protocol,
      AioContext context)
      throws BlockException, OptionException {
    if (choice instanceof Choice.Named(String reference)) {
      if (fileName != null) {
        throw new BlockException(
            Errno.EINVAL,
            "Cannot reference an existing block device with additional options or a new filename");
      }
      BlockNode node = find(reference);
      graph.reference(node);
      return node;
    }
    OptionReader options =
        choice instanceof Choice.Inline(OptionReader inline)
            ? inline
            : OptionReader.of(new Json.Members(), style);
    if (fileName != null && fileName.startsWith("json:")) {
      ImageAddress plain =
          new ImageAddress(fileName, members(options.flat()), OptionReader.Style.LOOSE).unwrapped();
      OptionReader merged = OptionReader.of(plain.options(), OptionReader.Style.LOOSE);
      return open(null, merged, defaults, protocol, context);
    }
    return open(fileName, options, defaults, protocol, context);
  }

  private BlockNode find(String reference) throws BlockException {
    for (BlockBackend backend : graph.backends()) {
      BlockNode node = backend.node();
      if (backend.name().equals(reference) && node != null) {
        return node;
      }
    }
    BlockNode node = graph.node(reference);
    if (node == null) {
      throw new BlockException(
          Errno.ENODEV, "Cannot find device='" + reference + "' nor node-name='" + reference + "'");
    }
    return node;
  }

  private BlockNode open(
      @Nullable String fileName,
      OptionReader options,
      NodeOptions defaults,
      boolean protocol,
      AioContext context)
      throws BlockException, OptionException {
    String driver =
        options.style() == OptionReader.Style.LOOSE
            ? options.stringOrNull("driver")
            : options.string("driver");
    DriverType type = driver == null ? null : drivers.find(driver);
    boolean named = type == null ? protocol : type instanceof DriverType.Protocol;
    if (fileName != null && named) {
      return openProtocol(fileName, type, options, defaults, context);
    }
    if (type == null && protocol) {
      if (!options.has("filename")) {
        throw new BlockException(Errno.EINVAL, "Must specify either driver or file");
      }
      type = drivers.find("file");
    }
    if (type == null) {
      return openProbed(fileName, options, defaults, context);
    }
    Map<String, String> names = fileName == null ? Map.of() : Map.of("file", fileName);
    return make(type, options, defaults, new NodeOpening.Prepared(Map.of(), names, false), context);
  }

  private static BlockException bothNames() {
    return new BlockException(
        Errno.EINVAL, "Can't specify 'file' and 'filename' options at the same time");
  }

  private BlockNode openProtocol(
      String fileName,
      @Nullable DriverType given,
      OptionReader options,
      NodeOptions defaults,
      AioContext context)
      throws BlockException, OptionException {
    if (options.has("filename")) {
      throw bothNames();
    }
    DriverType.Protocol type =
        given == null ? drivers.protocolOf(context, fileName) : (DriverType.Protocol) given;
    Map<String, Json> all = new LinkedHashMap<>(options.flat());
    all.putAll(type.optionsOfName(fileName).members());
    OptionReader merged = OptionReader.of(members(all), OptionReader.Style.LOOSE);
    merged.stringOrNull("driver");
    return make(type, merged, defaults, NodeOpening.Prepared.NOTHING, context);
  }

  private static Json.Members members(Map<String, Json> flat) {
    Json.Members members = new Json.Members();
    flat.forEach(members::put);
    return members;
  }

  private BlockNode openProbed(
      @Nullable String fileName, OptionReader options, NodeOptions defaults, AioContext context)
      throws BlockException, OptionException {
    Choice choice = options.choiceOrNull("file", "BlockdevRef");
    if (fileName == null && (choice == null || choice instanceof Choice.None)) {
      throw new BlockException(Errno.EINVAL, "Must specify either driver or file");
    }
    if (!policy.guessing()) {
      throw new BlockException(
              Errno.EINVAL, "The format of an image that is not trusted has to be given")
          .withHint("It would be guessed from bytes that whoever wrote the image has chosen.");
    }
    NodeOptions settings = GenericOptions.read(options, defaults);
    BlockNode file =
        openChild(
            "file",
            fileName,
            choice,
            options.style(),
            GenericOptions.forChild(settings, Set.of(), false),
            true,
            context);
    try {
      String name = FileNames.exactOrEmpty(file);
      String format = drivers.probe().probe(header(file), name);
      DriverType type = drivers.find(format == null ? "raw" : format);
      NodeOpening.Prepared prepared =
          new NodeOpening.Prepared(Map.of("file", file), Map.of(), true);
      return make(type, options, defaults, prepared, context);
    } finally {
      graph.release(file);
    }
  }

  private byte[] header(BlockNode file) throws BlockException {
    BlockBackend backend =
        new BlockBackend(graph, "", file.context(), Permission.CONSISTENT_READ, Permission.ALL);
    try {
      backend.insert(file);
      return header(backend);
    } finally {
      backend.close();
    }
  }

  private static byte[] header(BlockBackend backend) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment header = arena.allocate(PROBE_BYTES);
      long present = Math.min(PROBE_BYTES, backend.lengthBytes());
      if (present > 0) {
        backend.read(0, IoVector.of(header.asSlice(0, present)), RequestFlags.NONE);
      }
      return header.toArray(ValueLayout.JAVA_BYTE);
    } catch (BlockException e) {
      throw BlockException.of(e.errno(), "Could not read image for determining its format");
    }
  }

  private BlockNode make(
      DriverType type,
      OptionReader options,
      NodeOptions defaults,
      NodeOpening.Prepared prepared,
      AioContext context)
      throws BlockException, OptionException {
    Map<String, Json> given = options.flat();
    NodeOptions settings = GenericOptions.read(options, defaults);
    Choice file =
        type instanceof DriverType.Protocol || prepared.nodes().containsKey("file")
            ? null
            : options.choiceOrNull("file", "BlockdevRef");
    if (file == null || file instanceof Choice.None) {
      return make(type, options, settings, given, prepared, context);
    }
    // The file of a format or a filter comes first of all: the new node has no name yet.
    BlockNode opened =
        openChild(
            "file",
            prepared.fileNames().get("file"),
            file,
            options.style(),
            GenericOptions.forChild(settings, Set.of(), type.isFilter()),
            true,
            context);
    try {
      NodeOpening.Prepared withFile =
          new NodeOpening.Prepared(Map.of("file", opened), Map.of(), prepared.probed());
      return make(type, options, settings, given, withFile, context);
    } finally {
      graph.release(opened);
    }
  }

  private BlockNode make(
      DriverType type,
      OptionReader options,
      NodeOptions settings,
      Map<String, Json> given,
      NodeOpening.Prepared prepared,
      AioContext context)
      throws BlockException, OptionException {
    settings.check();
    String name = GenericOptions.nodeName(options);
    NodeOrigin origin = new NodeOrigin(given, type.significantOptions(), prepared.probed());
    return graph.open(
        name,
        settings,
        context,
        node -> {
          node.origin(origin);
          try {
            BlockDriver driver =
                type.open(new NodeOpening(this, type, node, options, settings, prepared));
            refuseUnread(type, options);
            return driver;
          } catch (OptionException e) {
            throw refused(e);
          }
        });
  }

  private static void refuseUnread(DriverType type, OptionReader options) throws OptionException {
    List<String> left =
        options.flat().entrySet().stream()
            .filter(each -> isEmptyTree(each.getValue()))
            .map(Map.Entry::getKey)
            .toList();
    if (left.isEmpty() && options.style() != OptionReader.Style.LOOSE) {
      options.finish();
      return;
    }
    left = left.isEmpty() ? options.unread() : left;
    if (!left.isEmpty()) {
      String option = left.getFirst();
      throw new OptionException(
          type instanceof DriverType.Protocol
              ? "Block protocol '%s' doesn't support the option '%s'".formatted(type.name(), option)
              : "Block format '%s' does not support the option '%s'"
                  .formatted(type.name(), option));
    }
  }

  /** An object or a list without anything: nobody has asked for a member of it. */
  private static boolean isEmptyTree(Json value) {
    return value instanceof Json.Members members && members.members().isEmpty()
        || value instanceof Json.Array array && array.elements().isEmpty();
  }
}
