package org.tinamou.daemon.command;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.NodeNames;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.bitmap.BitmapInfo;
import org.tinamou.block.open.BackingName;
import org.tinamou.block.open.FileNames;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleLimit;
import org.tinamou.drivers.HostSpace;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.filter.snapshotaccess.SnapshotAccessDriver;
import org.tinamou.drivers.format.raw.RawFormat;
import org.tinamou.drivers.protocol.file.FileNode;
import org.tinamou.qapi.Json;

/** What there is to say of one node, as answers have it. */
final class NodeReport {
  private static final long NANOS_A_SECOND = 1_000_000_000L;

  private NodeReport() {}

  /**
   * All of it.
   *
   * @param flat whether what lies below is left out
   */
  @InCoroutine
  static Json.Members of(BlockNode node, boolean flat) throws BlockException {
    return flat
        ? of(node, image(node), 0, false)
        : of(node, chain(node, false), depth(node, false), false);
  }

  /** The same of what a drive shows, without the filters of jobs that nobody has given a name. */
  @InCoroutine
  static Json.Members ofDrive(BlockNode root, boolean writeThrough) throws BlockException {
    BlockNode node = NodeNames.shown(root);
    return of(node, chain(node, true), depth(node, true), writeThrough);
  }

  @InCoroutine
  private static Json.Members of(
      BlockNode node, Json.Members image, int depth, boolean writeThrough) throws BlockException {
    BlockDriver driver = node.driver();
    NodeOptions options = node.options();
    Edge below = NodeCommands.copiedFrom(node);
    Json.Members report = new Json.Members();
    report.put("file", FileNames.of(node));
    report.put("node-name", node.name());
    report.put("ro", node.isReadOnly());
    report.put("drv", driver.formatName());
    if (below != null) {
      report.put("backing_file", FileNames.of(below.child()));
    }
    report.put("backing_file_depth", depth);
    if (node.isInactive()) {
      report.put("active", false);
    }
    report.put("encrypted", false);
    report.put("detect_zeroes", node.detectZeroes().name().toLowerCase(java.util.Locale.ROOT));
    limits(report, ThrottleConfig.UNLIMITED, null);
    report.put("image", image);
    report.put(
        "cache",
        new Json.Members()
            .put("writeback", !writeThrough)
            .put("direct", options.cacheDirect())
            .put("no-flush", options.cacheNoFlush()));
    report.put("write_threshold", node.writeThreshold().bytes());
    List<BitmapInfo> bitmaps = node.bitmaps().info();
    if (!bitmaps.isEmpty()) {
      Json.Array all = new Json.Array();
      bitmaps.forEach(each -> all.add(bitmap(each)));
      report.put("dirty-bitmaps", all);
    }
    return report;
  }

  /** The limits of a backend: those that are not set only as far as they are always told. */
  static void limits(Json.Members report, ThrottleConfig config, @Nullable String group) {
    List<String> names = List.of("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr");
    List<ThrottleLimit> all = List.copyOf(config.limits().values());
    for (int i = 0; i < names.size(); i++) {
      report.put(names.get(i), all.get(i).average());
    }
    for (int i = 0; i < names.size(); i++) {
      if (all.get(i).burst() != 0) {
        report.put(names.get(i) + "_max", all.get(i).burst());
        report.put(names.get(i) + "_max_length", all.get(i).burstSeconds());
      }
    }
    if (config.requestBytes() != 0) {
      report.put("iops_size", config.requestBytes());
    }
    if (group != null) {
      report.put("group", group);
    }
  }

  private static int depth(BlockNode node, boolean ofDrive) {
    int depth = 0;
    for (Edge edge = under(node); edge != null; depth++) {
      edge = under(ofDrive ? NodeNames.shown(edge.child()) : edge.child());
    }
    return depth;
  }

  /**
   * What shows through an image or a filter; only a raw format, which hides nothing, is neither.
   */
  private static @Nullable Edge under(BlockNode node) {
    return node.driverOrNull() instanceof RawFormat ? null : Edge.below(node);
  }

  private static Json.Members bitmap(BitmapInfo info) {
    Json.Members report = new Json.Members();
    if (info.name() != null) {
      report.put("name", info.name());
    }
    report.put("count", info.countBytes());
    report.put("granularity", info.granularityBytes());
    report.put("recording", info.recording());
    report.put("busy", info.busy());
    report.put("persistent", info.persistent());
    if (info.inconsistent()) {
      report.put("inconsistent", true);
    }
    return report;
  }

  // -------------------------------------------------------------------------------------- images

  @InCoroutine
  private static Json.Members chain(BlockNode node, boolean ofDrive) throws BlockException {
    Json.Members report = image(node);
    Edge edge = under(node);
    if (edge != null) {
      BlockNode below = ofDrive ? NodeNames.shown(edge.child()) : edge.child();
      report.put("backing-image", chain(below, ofDrive));
    }
    return report;
  }

  /** What its format tells of an image. */
  @InCoroutine
  static Json.Members image(BlockNode node) throws BlockException {
    BlockDriver driver = node.driver();
    Json.Members report = new Json.Members();
    report.put("filename", FileNames.of(node));
    report.put("format", driver.formatName());
    ImageDescription description =
        driver instanceof ImageDescription.Source source ? source.description() : null;
    ImageDescription shown = description == null ? filtered(node) : description;
    if (shown != null
        || bottom(node) instanceof FileNode && !(driver instanceof SnapshotAccessDriver)) {
      report.put("dirty-flag", shown != null && shown.dirty());
    }
    long allocated = HostSpace.allocatedBytes(node);
    if (allocated >= 0) {
      report.put("actual-size", allocated);
    }
    report.put("virtual-size", driver.lengthBytes());
    if (shown != null) {
      report.put("cluster-size", shown.clusterBytes());
    }
    if (description != null) {
      describe(report, node, driver, description);
    }
    return report;
  }

  private static void describe(
      Json.Members report, BlockNode node, BlockDriver driver, ImageDescription description) {
    String backing = description.backingName();
    if (backing != null) {
      report.put("backing-filename", backing);
      String full = fullName(node, backing);
      if (full != null) {
        report.put("full-backing-filename", full);
      }
      if (description.backingFormat() != null) {
        report.put("backing-filename-format", description.backingFormat());
      }
    }
    if (driver instanceof InternalSnapshots keeper && !keeper.snapshots().isEmpty()) {
      Json.Array all = new Json.Array();
      keeper.snapshots().forEach(each -> all.add(snapshot(each)));
      report.put("snapshots", all);
    }
    report.put(
        "format-specific",
        new Json.Members().put("type", driver.formatName()).put("data", description.specific()));
  }

  private static @Nullable String fullName(BlockNode node, String backing) {
    if (backing.startsWith("json:")) {
      return backing;
    }
    try {
      return BackingName.resolve(FileNames.placeOrEmpty(node), backing);
    } catch (BlockException e) {
      return null;
    }
  }

  /** What is told of the image that a filter shows. */
  private static @Nullable ImageDescription filtered(BlockNode node) {
    for (BlockNode at = node; ; ) {
      if (at.driverOrNull() instanceof ImageDescription.Source source) {
        return source.description();
      }
      Edge below = Edge.below(at);
      if (below == null) {
        return null;
      }
      at = below.child();
    }
  }

  private static @Nullable BlockDriver bottom(BlockNode node) {
    BlockNode below = node;
    for (BlockNode next = below.primaryChild(); next != null; next = below.primaryChild()) {
      below = next;
    }
    return below.driverOrNull();
  }

  /** A state that an image keeps. */
  static Json.Members snapshot(InternalSnapshots.Snapshot snapshot) {
    Json.Members report = new Json.Members();
    report.put("id", snapshot.id());
    report.put("name", snapshot.name());
    report.put("vm-state-size", snapshot.vmStateBytes());
    report.put("date-sec", snapshot.dateSeconds());
    report.put("date-nsec", snapshot.dateNanos());
    report.put("vm-clock-sec", snapshot.vmClockNanos() / NANOS_A_SECOND);
    report.put("vm-clock-nsec", snapshot.vmClockNanos() % NANOS_A_SECOND);
    if (snapshot.instructions() >= 0) {
      report.put("icount", snapshot.instructions());
    }
    return report;
  }
}
