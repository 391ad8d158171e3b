package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.Parsed;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeEvent;
import org.tinamou.block.Permission;
import org.tinamou.block.open.BackingName;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.drivers.HeapBytes;
import org.tinamou.drivers.format.luks.KeyWork;
import org.tinamou.drivers.format.luks.LuksType;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** {@code driver=qcow2}. */
public final class Qcow2Type implements DriverType {
  private final ObjectRegistry objects;
  private final KeyWork.Maker keys;

  /**
   * The driver of a program.
   *
   * @param objects where it finds passwords
   */
  public Qcow2Type(ObjectRegistry objects) {
    this(objects, LuksType::work);
  }

  /**
   * The same, with a word on how keys are derived.
   *
   * @param objects where it finds passwords
   */
  public Qcow2Type(ObjectRegistry objects, KeyWork.Maker keys) {
    this.objects = objects;
    this.keys = keys;
  }

  private static final int FIRST_READ_BYTES = 512;
  private static final Set<EdgeRole> FILE =
      EnumSet.of(EdgeRole.DATA, EdgeRole.METADATA, EdgeRole.PRIMARY);
  private static final Set<EdgeRole> DATA_FILE = EnumSet.of(EdgeRole.DATA);
  private static final Set<EdgeRole> BACKING = EnumSet.of(EdgeRole.COPY_ON_WRITE);

  @Override
  public String name() {
    return "qcow2";
  }

  @Override
  public List<String> significantOptions() {
    return List.of("backing", "data-file", "encrypt.");
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    boolean readOnly = opening.node().isReadOnly();
    int used = Permission.CONSISTENT_READ;
    if (!readOnly) {
      used |= Permission.WRITE | Permission.RESIZE;
    }
    Edge file = opening.child("file", FILE, used, Permission.DEFAULT_SHARED);
    Qcow2Header header = readHeader(file);
    boolean forCheck = opening.settings().forCheck();
    refuseUnsupported(header, readOnly, forCheck);
    BitmapTables bitmaps = BitmapTables.read(file, header);
    SnapshotTable snapshots = forCheck ? SnapshotTable.NONE : SnapshotTable.open(file, header);
    RuntimeOptions options =
        RuntimeOptions.read(opening.options(), header, opening.settings().discardUnmap());
    Edge data = openDataFile(opening, header);
    Edge backing = openBacking(opening, file, header);
    Encryption encryption = Encryption.open(opening, objects, keys, file, header);
    if (header.hasFeature(Features.INCOMPATIBLE_DIRTY) && !readOnly && !forCheck) {
      header = repaired(file, header, opening.node().graph()::diagnose);
    }
    // Whatever these bits stand for is not kept up to date from here on; a repair changes no data.
    long keptUpToDate =
        header.autoclear()
            & (forCheck || !bitmaps.tables().isEmpty()
                ? Features.AUTOCLEAR_KNOWN
                : Features.AUTOCLEAR_RAW_DATA_FILE);
    if (!readOnly && header.autoclear() != keptUpToDate) {
      HeaderFields.writeAutoclear(file, keptUpToDate);
    }
    Qcow2Image.Extras extras =
        new Qcow2Image.Extras(
            snapshots,
            bitmaps,
            data,
            encryption,
            !readOnly,
            opening.node().graph()::diagnose,
            (what, offset, length, fatal) ->
                opening
                    .node()
                    .graph()
                    .events()
                    .tell(
                        new NodeEvent.ImageCorrupted(opening.node(), what, offset, length, fatal)));
    Qcow2Image image = new Qcow2Image(file, backing, header, options, extras, file.lengthBytes());
    if (opening.options().has("backing")) {
      image.showBelow(backing); // it need not be what the image says
    }
    Qcow2Driver driver = new Qcow2Driver(opening.node(), image, header);
    if (!forCheck) {
      driver.loadBitmaps();
    }
    return driver;
  }

  /** The name in the image is a file's, whatever it looks like. */
  private static @Nullable Edge openDataFile(NodeOpening opening, Qcow2Header header)
      throws BlockException, OptionException {
    boolean external = header.hasFeature(Features.INCOMPATIBLE_DATA_FILE);
    String name = header.dataFileName();
    ImageAddress address = null;
    if (external && name != null) {
      Json.Members options = new Json.Members().put("driver", "file").put("filename", name);
      address = ImageAddress.ofOptions(options);
    }
    boolean readOnly = opening.node().isReadOnly();
    int used = Permission.CONSISTENT_READ;
    if (!readOnly) {
      used |= Permission.WRITE | Permission.RESIZE;
    }
    // Whoever only wants to know what the image says does without.
    boolean wanted = opening.opensBacking() || !readOnly;
    Edge edge =
        address == null
            ? opening.childOrNull(
                "data-file", null, true, DATA_FILE, used, Permission.DEFAULT_SHARED)
            : opening.imageChildOrNull(
                "data-file", DATA_FILE, used, Permission.DEFAULT_SHARED, address, wanted);
    if (edge != null && !external) {
      throw new BlockException(
          Errno.EINVAL, "'data-file' can only be set for images with an external data file");
    }
    if (edge == null && external && wanted) {
      throw new BlockException(Errno.EINVAL, "'data-file' is required for this image");
    }
    return edge;
  }

  private static @Nullable Edge openBacking(NodeOpening opening, Edge file, Qcow2Header header)
      throws BlockException, OptionException {
    return opening.imageChildOrNull(
        "backing",
        BACKING,
        Permission.CONSISTENT_READ,
        Permission.ALL,
        opening.opensBacking() ? backingAddress(file, header) : null);
  }

  /** Reads and checks the header of an image. */
  static Qcow2Header readHeader(Edge file) throws BlockException {
    byte[] start;
    try {
      start = HeapBytes.read(file, 0, FIRST_READ_BYTES);
      int wanted = Qcow2Header.bytesWanted(ByteBuffer.wrap(start));
      if (wanted > start.length) {
        start = HeapBytes.read(file, 0, wanted);
      }
    } catch (BlockException e) {
      throw BlockException.of(e.errno(), "Could not read qcow2 header");
    }
    return switch (Qcow2Header.parse(ByteBuffer.wrap(start))) {
      case Parsed.Value<Qcow2Header>(Qcow2Header header) -> header;
      case Parsed.Malformed<Qcow2Header>(String _, String message) ->
          throw new BlockException(Errno.EINVAL, message);
    };
  }

  static void refuseUnsupported(Qcow2Header header, boolean readOnly, boolean forCheck)
      throws BlockException {
    if (header.refcountTableClusters() == 0 && !forCheck) {
      throw new BlockException(Errno.EINVAL, "Image does not contain a reference count table");
    }
    if (!readOnly && !forCheck) {
      if (header.hasFeature(Features.INCOMPATIBLE_CORRUPT)) {
        throw new BlockException(
            Errno.EACCES, "qcow2: Image is corrupt; cannot be opened read/write");
      }
    }
  }

  /** Brings the counts of an image up to date that was not closed properly. */
  private static Qcow2Header repaired(Edge file, Qcow2Header header, Consumer<String> lines)
      throws BlockException {
    CheckReport report;
    try {
      report = ImageChecker.check(file, header, CheckRepair.ALL, lines, null);
    } catch (BlockException e) {
      throw BlockException.of(e.errno(), "Could not repair dirty image");
    }
    if (report.checkErrors() > 0) {
      throw BlockException.of(Errno.EIO, "Could not repair dirty image");
    }
    HeaderFields.writeIncompatible(file, header.incompatible() & ~Features.INCOMPATIBLE_DIRTY);
    return readHeader(file);
  }

  private static @Nullable ImageAddress backingAddress(Edge file, Qcow2Header header)
      throws BlockException {
    String name = header.backingName();
    try {
      return name == null ? null : BackingName.address(file.child(), name, header.backingFormat());
    } catch (BlockException e) {
      throw e.prefixed("Could not open backing file: ");
    }
  }
}
