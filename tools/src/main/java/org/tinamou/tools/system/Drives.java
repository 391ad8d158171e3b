package org.tinamou.tools.system;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DetectZeroes;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.block.stats.BlockStatistics;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.HeldDrives;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.tools.image.TemporaryOverlay;

/**
 * The drives of the machine: backends with names, which commands find by them. There are no devices
 * yet that would read or write: a drive on a bus is held as a disk there would hold it, and nothing
 * comes from it. Coroutines of the main loop.
 */
final class Drives {
  /** What a disk does with its drive, and lets others do. */
  private static final int DISK_SHARED = Permission.DEFAULT_SHARED | Permission.RESIZE;

  private record Place(DriveBus bus, int number, int unit) {}

  private final Daemon daemon;
  private final HeldDrives held;
  private final NodeOpener opener;
  private final Consumer<String> guessedRaw;
  private final Map<BlockBackend, Place> places = new HashMap<>();
  private int devices;

  /**
   * @param guessedRaw told of the name of each image whose format was not given and seems to be raw
   */
  Drives(Daemon daemon, Consumer<String> guessedRaw) {
    this.daemon = daemon;
    this.held = daemon.drives();
    this.opener = new NodeOpener(daemon.graph(), daemon.drivers());
    this.guessedRaw = guessedRaw;
  }

  /** Opens the medium and puts it into a drive. */
  @InCoroutine
  void open(DriveOptions options) throws BlockException, OptionException {
    ThrottleConfig limits = limits(options);
    BlockGraph graph = opener.graph();
    Place place = place(options);
    String name = options.id() == null ? nameOf(place, options.cdrom()) : options.id();
    refuseNameInUse(graph, name);
    ImageAddress medium = options.medium();
    BlockNode node = medium == null ? null : openMedium(medium, options);
    BlockBackend backend =
        new BlockBackend(graph, name, graph.main(), Permission.CONSISTENT_READ, Permission.ALL);
    boolean done = false;
    try {
      backend.setWriteThrough(options.writeThrough());
      backend.setFollowsNode(true); // no device minds
      backend.setStatistics(statistics(options.accounting()));
      if (node != null) {
        backend.insert(node);
      }
      if (options.bus() != DriveBus.NONE) {
        int writing = options.readOnly() ? 0 : Permission.WRITE;
        backend.setPermissions(Permission.CONSISTENT_READ | writing, DISK_SHARED);
      }
      if (node != null && !limits.isUnlimited()) {
        daemon.limit(backend, limits, options.limits().get("group"));
      }
      done = true;
    } finally {
      if (node != null) {
        graph.release(node);
      }
      if (!done) {
        backend.close();
      }
    }
    places.put(backend, place);
    String device =
        options.bus() == DriveBus.NONE
            ? null
            : "/machine/peripheral-anon/device[" + devices++ + "]/virtio-backend";
    held.add(new HeldDrives.Drive(backend, device, options.readOnly()));
  }

  /** A name that another drive has. */
  void refuseDuplicate(DriveOptions options) throws OptionException {
    String id = options.id();
    if (id != null && held.find(id) != null) {
      throw new OptionException("Duplicate ID '" + id + "' for drive");
    }
  }

  private BlockStatistics statistics(DriveOptions.Accounting accounting) throws BlockException {
    BlockStatistics statistics =
        new BlockStatistics(
            opener.graph().main().clocks(), accounting.invalid(), accounting.failed());
    for (long seconds : accounting.intervalsSeconds()) {
      statistics.addInterval(seconds);
    }
    return statistics;
  }

  private static ThrottleConfig limits(DriveOptions options)
      throws BlockException, OptionException {
    Json.Members limits = new Json.Members();
    options.limits().forEach(limits::put);
    return ThrottleConfig.UNLIMITED.read(OptionReader.of(limits, OptionReader.Style.LOOSE));
  }

  private Place place(DriveOptions options) throws BlockException {
    DriveBus bus = options.bus();
    int number = options.busNumber();
    int unit = options.unit();
    if (unit < 0) {
      unit = 0;
      while (isTaken(new Place(bus, number, unit))) {
        unit++;
        if (bus.unitsPerBus() > 0 && unit >= bus.unitsPerBus()) {
          unit = 0;
          number++;
        }
      }
    }
    if (bus.unitsPerBus() > 0 && unit >= bus.unitsPerBus()) {
      throw new BlockException(
          Errno.EINVAL, "unit %d too big (max is %d)".formatted(unit, bus.unitsPerBus() - 1));
    }
    Place place = new Place(bus, number, unit);
    if (isTaken(place)) {
      int index = bus.unitsPerBus() > 0 ? number * bus.unitsPerBus() + unit : unit;
      throw new BlockException(
          Errno.EINVAL,
          "drive with bus=%d, unit=%d (index=%d) exists".formatted(number, unit, index));
    }
    return place;
  }

  private boolean isTaken(Place place) {
    return held.all().stream().anyMatch(drive -> place.equals(places.get(drive.backend())));
  }

  private static String nameOf(Place place, boolean cdrom) {
    DriveBus bus = place.bus();
    String kind = bus == DriveBus.IDE || bus == DriveBus.SCSI ? cdrom ? "-cd" : "-hd" : "";
    String number = bus.unitsPerBus() > 0 ? Integer.toString(place.number()) : "";
    return bus.text() + number + kind + place.unit();
  }

  private static void refuseNameInUse(BlockGraph graph, String name) throws BlockException {
    for (BlockBackend other : graph.backends()) {
      if (other.name().equals(name)) {
        throw new BlockException(Errno.EEXIST, "Device with id '" + name + "' already exists");
      }
    }
    if (graph.node(name) != null) {
      throw new BlockException(
          Errno.EEXIST, "Device name '" + name + "' conflicts with an existing node name");
    }
  }

  /** The caller holds a reference to the node. */
  private BlockNode openMedium(ImageAddress medium, DriveOptions options) throws BlockException {
    BlockGraph graph = opener.graph();
    boolean untouched = options.readOnly() || options.snapshot();
    NodeOptions defaults =
        new NodeOptions(untouched, true, false, false, false, DetectZeroes.OFF, false);
    BlockNode node = opener.open(medium, defaults, graph.main());
    if (node.origin().probed() && "raw".equals(formatOf(node))) {
      guessedRaw.accept(String.valueOf(medium.fileName()));
    }
    if (!options.snapshot()) {
      return node;
    }
    try {
      return TemporaryOverlay.over(opener, node, graph.main());
    } finally {
      graph.release(node);
    }
  }

  private static @Nullable String formatOf(BlockNode node) {
    var driver = node.driverOrNull();
    return driver == null ? null : driver.formatName();
  }
}
