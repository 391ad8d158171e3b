package org.tinamou.tools.image;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.HostFiles;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.DetectZeroes;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.FileNames;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.ImagePolicy;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.daemon.InheritedOptions;
import org.tinamou.drivers.AmendableImage;
import org.tinamou.drivers.CompactableImage;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.HostSpace;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.drivers.PackingImage;
import org.tinamou.drivers.format.raw.RawFormat;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.drivers.protocol.file.FileNode;
import org.tinamou.drivers.protocol.nbd.NbdDriver;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionList;
import org.tinamou.qapi.OptionReader;
import org.tinamou.tools.cli.ToolMain;

/**
 * An open disk image, at the top of a graph of its own: bytes from 0 to its length, in whole
 * sectors of 512 bytes.
 *
 * <p>Every method belongs to coroutines of the loop the image was opened on; any number of them may
 * be under way. Buffers are off-heap, stay the caller's and must live until the call returns.
 * Requests that reach beyond the end fail with EIO.
 */
public final class OpenImage {
  public static final int SECTOR_BYTES = 512;

  /** So that an offset can be rounded up by a request without running over. */
  private static final long MAX_LENGTH_BYTES = Long.MAX_VALUE & -(1L << 30);

  private final BlockBackend backend;
  private final BlockNode node;
  private final String givenName;
  private final ObjectRegistry objects;
  private boolean writable;
  private int permissions;
  private final int shared;

  private OpenImage(
      BlockBackend backend,
      BlockNode node,
      OpenRequest request,
      ObjectRegistry objects,
      int permissions,
      int shared) {
    this.backend = backend;
    this.node = node;
    this.givenName = request.name();
    this.objects = objects;
    this.writable = request.writable();
    this.permissions = permissions;
    this.shared = shared;
  }

  /** Opens an image. */
  public static OpenImage open(AioContext context, OpenRequest request) throws BlockException {
    return open(context, request, ObjectRegistry.none());
  }

  /**
   * Opens an image.
   *
   * @param objects what its options may name
   */
  public static OpenImage open(AioContext context, OpenRequest request, ObjectRegistry objects)
      throws BlockException {
    BlockGraph graph = new BlockGraph(context);
    graph.tellDamageTo(System.err::println);
    graph.tellErrorsTo(line -> System.err.println(ToolMain.programName() + ": " + line));
    return open(graph, context, request, objects);
  }

  /**
   * A node that others have opened, by a handle that stays the caller's.
   *
   * @param backend its medium is the node
   */
  public static OpenImage over(BlockBackend backend, BlockNode node) {
    int used = 0;
    int shared = Permission.ALL;
    for (Edge edge : node.parents()) {
      if (edge.parent() == backend) {
        used = edge.permissions();
        shared = edge.shared();
      }
    }
    OpenRequest request = OpenRequest.reading(node.name(), null, CacheMode.WRITEBACK);
    OpenImage image = new OpenImage(backend, node, request, ObjectRegistry.none(), used, shared);
    image.writable = !node.isReadOnly();
    return image;
  }

  /** Has the handle do more than it did, if it does not yet; it stays so. */
  public void require(int further) throws BlockException {
    if ((permissions | further) != permissions) {
      use(permissions | further);
      permissions |= further;
    }
  }

  /** Opens an image that may refer to this one's node by its name. */
  public OpenImage openBeside(AioContext context, OpenRequest request) throws BlockException {
    return open(node.graph(), context, request, objects);
  }

  private static OpenImage open(
      BlockGraph graph, AioContext context, OpenRequest request, ObjectRegistry objects)
      throws BlockException {
    // A check reads nothing but the image itself, so that nothing need be refused either.
    boolean alone =
        request.alone()
            || (request.forCheck() && request.policy().references() == ImagePolicy.References.NONE);
    NodeOpener opener = new NodeOpener(graph, Drivers.list(objects), !alone, request.policy());
    int permissions = Permission.CONSISTENT_READ;
    if (request.writable()) {
      permissions |= Permission.WRITE;
    }
    if (request.resizing()) {
      permissions |= Permission.RESIZE;
    }
    int shared = request.keepOthersFromChanging() ? Permission.DEFAULT_SHARED : Permission.ALL;
    BlockBackend backend = new BlockBackend(graph, "", context, permissions, shared);
    backend.setWriteThrough(request.cache().isWritethrough());
    BlockNode node = openNode(opener, request, context);
    try {
      backend.insert(node);
    } finally {
      graph.release(node);
    }
    return new OpenImage(backend, node, request, objects, permissions, shared);
  }

  private static BlockNode openNode(NodeOpener opener, OpenRequest request, AioContext context)
      throws BlockException {
    NodeOptions options = options(request);
    if (!request.temporary() || !request.writable()) {
      return opener.open(address(request), options, context);
    }
    BlockNode below = opener.open(address(request), options.withReadOnly(true), context);
    try {
      return TemporaryOverlay.over(opener, below, context);
    } finally {
      opener.graph().release(below);
    }
  }

  private static ImageAddress address(OpenRequest request) {
    Json.Members options = new Json.Members();
    if (request.imageOptions()) {
      OptionList.values(request.name()).forEach(options::put);
      return ImageAddress.ofOptions(options);
    }
    if (request.format() != null) {
      options.put("driver", request.format());
    }
    OptionList.values(request.options()).forEach(options::put);
    return new ImageAddress(request.name(), options, OptionReader.Style.LOOSE);
  }

  private static NodeOptions options(OpenRequest request) {
    CacheMode cache = request.cache();
    return new NodeOptions(
        !request.writable(),
        false,
        cache.isDirect(),
        cache.isNoFlush(),
        !request.ignoreDiscard(),
        DetectZeroes.OFF,
        request.forceShare(),
        request.forCheck());
  }

  /**
   * Looks for damage in what the image keeps beside the data.
   *
   * @param lines told of each finding
   * @return null if its format has nothing that could be damaged
   */
  public @Nullable CheckReport check(CheckRepair repair, Consumer<String> lines)
      throws BlockException {
    return node.driverOrNull() instanceof BlockDriver.Checkable checkable
        ? checkable.check(repair, lines)
        : null;
  }

  /** The handle that requests go through, for whoever shows the image to others. */
  public BlockBackend backend() {
    return backend;
  }

  /** The image's node. */
  public BlockNode node() {
    return node;
  }

  /** What the image's node was told when it was opened or last reopened. */
  public NodeOptions options() {
    return node.options();
  }

  /** Makes every write wait until it is on the disk, or no longer. */
  public void setWriteThrough(boolean enabled) {
    backend.setWriteThrough(enabled);
  }

  /**
   * Changes what the image was told when it was opened, and what those below took over from it.
   *
   * @param below what nodes below the image are told themselves
   * @param willWrite whether it is going to be written to from then on
   * @param driverOptions what its driver is told beside, or null to leave that
   * @throws BlockException nothing has changed then
   */
  public void reopen(
      NodeOptions options,
      Map<BlockNode, UnaryOperator<NodeOptions>> below,
      boolean willWrite,
      @Nullable Object driverOptions)
      throws BlockException {
    if (!willWrite && writable) {
      use(permissions & ~Permission.WRITE);
    }
    try {
      node.graph().reopen(InheritedOptions.changes(node, options, driverOptions, below));
    } catch (BlockException e) {
      use(permissions);
      throw e;
    }
    int used = willWrite ? permissions | Permission.WRITE : permissions & ~Permission.WRITE;
    use(used);
    permissions = used;
    writable = willWrite;
  }

  private void use(int used) throws BlockException {
    backend.setPermissions(used, shared);
  }

  /** Whether the image is read past the host's page cache. */
  public boolean isDirect() {
    return bottom().options().cacheDirect();
  }

  /** Lets go of the image, after a last flush whose failure is not told to anybody. */
  public void flushAndClose() {
    try {
      backend.flush();
    } catch (BlockException e) {
      // Whoever has to know has asked for a flush and has seen it fail.
      return;
    } finally {
      close();
    }
  }

  /** Lets go of the image. */
  public void close() {
    backend.close();
  }

  /** The name it was opened by. */
  public String givenName() {
    return givenName;
  }

  /** The name by which it can be opened again. */
  public String name() {
    return FileNames.of(node);
  }

  /** What the format tells of the image, or null if it has nothing to tell. */
  public @Nullable ImageDescription description() {
    return node.driverOrNull() instanceof ImageDescription.Source source
        ? source.description()
        : null;
  }

  /** The older states that the image keeps, or null if its format cannot keep any. */
  public @Nullable InternalSnapshots internalSnapshots() {
    return node.driverOrNull() instanceof InternalSnapshots snapshots ? snapshots : null;
  }

  /** The image's dirty bitmaps. */
  public ImageBitmaps bitmaps() {
    return new ImageBitmaps(node, clusterBytes());
  }

  /** The plain name of the file that the image is in; empty if it has none. */
  public String exactName() {
    return FileNames.exactOrEmpty(node);
  }

  /** What relative names in the image begin at; empty if nobody knows. */
  public String place() {
    return FileNames.placeOrEmpty(node);
  }

  /** The name of what holds the bytes that the image shows. */
  public String hostName() {
    return FileNames.of(bottom());
  }

  /** The name of the image's node, which may be made up. */
  public String nodeName() {
    return node.name();
  }

  /** What the image takes on the host, in bytes, or -1 if nobody knows. */
  public long allocatedBytes() throws BlockException {
    return HostSpace.allocatedBytes(node);
  }

  private BlockNode bottom() {
    BlockNode below = node;
    for (BlockNode next = below.primaryChild(); next != null; next = below.primaryChild()) {
      below = next;
    }
    return below;
  }

  /** Whether its bytes are in a file or device of the host. */
  public boolean isHostFile() {
    return bottom().driverOrNull() instanceof FileNode;
  }

  /** Whether its bytes come from the host's page cache. */
  public boolean isHostCached() {
    return isHostFile() && !isDirect();
  }

  /** Whether its bytes come from a server of this host, which answers at once. */
  public boolean isServedByNeighbour() {
    return bottom().driverOrNull() instanceof NbdDriver server && server.isOnThisHost();
  }

  /** Waits no longer for servers that do not answer: see {@link BlockDriver.Remote}. Any thread. */
  public void giveUp() {
    BlockDriver.Remote.giveUpBelow(node);
  }

  /** What can hold requests up, or null if nothing in the image can. */
  public BlockDriver.@Nullable Breakpoints breakpoints() {
    return BlockDriver.Breakpoints.below(node);
  }

  /** Whether there is nothing below the image's node: it has no format but is a protocol itself. */
  public boolean isProtocol() {
    return node.children().isEmpty();
  }

  public String format() {
    BlockDriver driver = node.driverOrNull();
    return driver == null ? "" : driver.formatName();
  }

  /** Whether the image is taken for raw because nobody said what it is. */
  public boolean isGuessedRaw() {
    return node.origin().probed() && format().equals(ImageFormats.RAW);
  }

  public boolean isWritable() {
    return writable;
  }

  public long lengthBytes() {
    try {
      return backend.lengthBytes();
    } catch (BlockException e) {
      return 0;
    }
  }

  /** Whether a new image at this place is certain to read as zeroes, apart from one below it. */
  public boolean isZeroWhenNew() {
    FileNode file = fileNode();
    return file != null
        ? file.file().kind() == HostFiles.Kind.REGULAR
        : format().equals(ImageFormats.QCOW2);
  }

  /** The host file whose bytes the image shows as they are, or null. */
  private @Nullable FileNode fileNode() {
    BlockNode below = node;
    while (below.driverOrNull() instanceof RawFormat) {
      Edge edge = below.child("file");
      if (edge == null) {
        return null;
      }
      below = edge.child();
    }
    return below.driverOrNull() instanceof FileNode file ? file : null;
  }

  /** Whether a range lies inside of the image. */
  public boolean contains(long offsetBytes, long size) {
    return offsetBytes >= 0 && size >= 0 && offsetBytes <= lengthBytes() - size;
  }

  /** Fills the buffers. */
  public void read(IoVector buffers, long offsetBytes) throws BlockException {
    backend.read(offsetBytes, buffers, RequestFlags.NONE);
  }

  /** Writes the buffers. */
  public void write(IoVector buffers, long offsetBytes) throws BlockException {
    backend.write(offsetBytes, buffers, RequestFlags.NONE);
  }

  /** Writes a whole cluster, or the last one's part that the image shows, compressed. */
  public void writeCompressed(IoVector buffers, long offsetBytes) throws BlockException {
    if (!canCompress()) {
      throw BlockException.of(Errno.EOPNOTSUPP, "write compressed");
    }
    backend.write(offsetBytes, buffers, RequestFlags.COMPRESSED);
  }

  /** Packs clusters that are going to be written compressed from this memory; not again then. */
  public void packAhead(MemorySegment bytes, long offsetBytes) {
    if (node.driverOrNull() instanceof PackingImage packing) {
      packing.packAhead(offsetBytes, bytes);
    }
  }

  /** In what pieces the image is allocated, or 0. */
  public long clusterBytes() {
    ImageDescription description = description();
    return description == null ? 0 : description.clusterBytes();
  }

  /** The length of the image that this one stands on, or -1 if there is none. */
  public long backingBytes() throws BlockException {
    Edge below = copiedFrom(node);
    return below == null ? -1 : below.lengthBytes();
  }

  /** An image that this one stands on. */
  public record Layer(String name, String format) {}

  /** What the image stands on, the nearest first. */
  public List<Layer> layersBelow() {
    List<Layer> layers = new ArrayList<>();
    for (Edge edge = copiedFrom(node); edge != null; edge = copiedFrom(edge.child())) {
      BlockDriver driver = edge.child().driverOrNull();
      layers.add(new Layer(FileNames.of(edge.child()), driver == null ? "" : driver.formatName()));
    }
    return layers;
  }

  private static @Nullable Edge copiedFrom(BlockNode above) {
    for (Edge edge : above.children()) {
      if (edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
        return edge;
      }
    }
    return null;
  }

  /** The image as one that can stand on another, or null if its format has no such images. */
  public @Nullable OverlayImage overlay() {
    return node.driverOrNull() instanceof OverlayImage overlay ? overlay : null;
  }

  /** The image as one that can be changed afterwards, or null. */
  public @Nullable AmendableImage amendable() {
    return node.driverOrNull() instanceof AmendableImage amendable ? amendable : null;
  }

  /** The image as one that can be made smaller in its file, or null. */
  public @Nullable CompactableImage compactable() {
    return node.driverOrNull() instanceof CompactableImage compactable ? compactable : null;
  }

  /** Whether compressed data can be written to it. */
  public boolean canCompress() {
    return node.driverOrNull() instanceof BlockDriver.Writable writer
        && (writer.writeFlags() & RequestFlags.COMPRESSED) != 0;
  }

  /**
   * Makes a range read as zeroes.
   *
   * @param mayUnmap its space may be given back
   * @param onlyIfFast fail with EOPNOTSUPP rather than write zeroes
   */
  public void writeZeroes(long offsetBytes, long size, boolean mayUnmap, boolean onlyIfFast)
      throws BlockException {
    int flags =
        (mayUnmap ? RequestFlags.MAY_UNMAP : 0) | (onlyIfFast ? RequestFlags.NO_FALLBACK : 0);
    if (!backend.writeZeroes(offsetBytes, size, flags)) {
      throw BlockException.of(Errno.EOPNOTSUPP, "write zeroes");
    }
  }

  /** Gives the space of a range back. */
  public void discard(long offsetBytes, long size) throws BlockException {
    backend.discard(offsetBytes, size);
  }

  /** Brings what was written to the disk. */
  public void flush() throws BlockException {
    backend.flush();
  }

  /**
   * Changes the length.
   *
   * @param exact fail where it cannot become just that
   */
  public void truncate(long sizeBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    if (sizeBytes > MAX_LENGTH_BYTES) {
      throw new BlockException(
          Errno.EFBIG, "offset(" + sizeBytes + ") exceeds maximum(" + MAX_LENGTH_BYTES + ")");
    }
    backend.setPermissions(permissions | Permission.WRITE | Permission.RESIZE, shared);
    try {
      backend.truncate(sizeBytes, exact, preallocation);
    } finally {
      backend.setPermissions(permissions, shared);
    }
  }

  /**
   * The status of the bytes from an offset inside of the image, at most as many as asked, as the
   * image itself knows it.
   */
  public Extent extentAt(long offsetBytes, long size) throws BlockException {
    return ChainExtents.extent(backend.status(offsetBytes, size, true), 0);
  }

  /** The same, as the first one of the image and those below it knows that has a say. */
  public Extent extentInChain(long offsetBytes, long size) throws BlockException {
    return ChainExtents.deciding(node, backend.status(offsetBytes, size, true), offsetBytes);
  }

  /** The same, as the first one knows that can tell what is read. */
  public Extent mappedExtent(long offsetBytes, long size) throws BlockException {
    return ChainExtents.known(node, backend.status(offsetBytes, size, true), offsetBytes);
  }

  /**
   * Has the host copy a range of another image, wherever both have it.
   *
   * @return false if that is not possible; some of the range may have been written
   */
  public boolean copyFrom(OpenImage source, long sourceOffsetBytes, long offsetBytes, long size)
      throws BlockException {
    return source.backend.copyRange(
        sourceOffsetBytes, backend, offsetBytes, size, RequestFlags.NONE, RequestFlags.NONE);
  }

  @Override
  public String toString() {
    return format() + " image " + name();
  }
}
