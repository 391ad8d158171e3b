package org.tinamou.daemon.command;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DetectZeroes;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.stats.BlockStatistics;
import org.tinamou.block.stats.IoKind;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.HeldDrives.Drive;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Drives and their media. */
final class DriveCommands {
  private final Daemon daemon;

  DriveCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.query("query-block", _ -> drives());
    list.action("eject", this::eject);
    list.action("blockdev-open-tray", this::find);
    list.action("blockdev-close-tray", this::find);
    list.action("blockdev-remove-medium", this::refuseDevice);
    list.action("blockdev-insert-medium", this::refuseDevice);
    list.action("blockdev-change-medium", this::changeMedium);
    list.action("block_set_io_throttle", this::limit);
    list.action("block-latency-histogram-set", this::setHistograms);
  }

  @InCoroutine
  private Json drives() throws BlockException {
    Json.Array all = new Json.Array();
    for (Drive drive : daemon.drives().all()) {
      BlockBackend backend = drive.backend();
      BlockNode node = backend.node();
      Json.Members report = new Json.Members().put("device", backend.name());
      if (drive.device() != null) {
        report.put("qdev", drive.device());
      }
      report.put("type", "unknown");
      report.put("removable", drive.device() == null);
      report.put("locked", false);
      if (node != null) {
        Json.Members inserted = NodeReport.ofDrive(node, backend.isWriteThrough());
        ThrottleGroup group = backend.limits().group();
        if (group != null) {
          NodeReport.limits(inserted, group.config(), group.name());
        }
        report.put("inserted", inserted);
      }
      if (drive.device() != null) {
        report.put("io-status", backend.ioStatus().wireName());
      }
      all.add(report);
    }
    return all;
  }

  /** The drive that a command names; devices, which have ids, are not there. */
  private Drive find(OptionReader arguments) throws OptionException, CommandException {
    String device = arguments.stringOrNull("device");
    String id = arguments.stringOrNull("id");
    if ((device == null) == (id == null)) {
      throw new CommandException("Need exactly one of 'device' and 'id'");
    }
    Drive drive = device == null ? null : daemon.drives().find(device);
    if (drive == null) {
      throw notFound(device == null ? id : device);
    }
    return drive;
  }

  private static CommandException notFound(@Nullable String name) {
    return new CommandException(ErrorClass.DEVICE_NOT_FOUND, "Device '" + name + "' not found");
  }

  private void refuseDevice(OptionReader arguments) throws OptionException, CommandException {
    throw notFound(arguments.string("id"));
  }

  private Drive removable(OptionReader arguments) throws OptionException, CommandException {
    Drive drive = find(arguments);
    if (drive.device() != null) {
      throw new CommandException("Device '" + drive.backend().name() + "' is not removable");
    }
    return drive;
  }

  @InCoroutine
  private void eject(OptionReader arguments)
      throws OptionException, CommandException, BlockException {
    takeOut(removable(arguments));
  }

  @InCoroutine
  private void takeOut(Drive drive) throws BlockException {
    BlockNode medium = drive.backend().node();
    if (medium != null) {
      daemon.jobs().checkNotBlocked(medium);
    }
    daemon.exports().mediumLeaves(drive.backend());
    drive.backend().eject();
  }

  @InCoroutine
  private void changeMedium(OptionReader arguments)
      throws OptionException, CommandException, BlockException {
    Drive drive = removable(arguments);
    boolean readOnly =
        switch (arguments.stringOrNull("read-only-mode")) {
          case "read-only" -> true;
          case "read-write" -> false;
          case null, default -> drive.readOnly();
        };
    NodeOptions options =
        new NodeOptions(readOnly, false, false, false, false, DetectZeroes.OFF, false);
    ImageAddress address =
        ImageAddress.ofName(arguments.string("filename"), arguments.stringOrNull("format"));
    BlockNode node = daemon.open(address, options);
    try {
      takeOut(drive);
      drive.backend().insert(node);
    } finally {
      daemon.graph().release(node);
    }
  }

  @InCoroutine
  private void limit(OptionReader arguments)
      throws OptionException, CommandException, BlockException {
    Drive drive = find(arguments);
    if (drive.backend().node() == null) {
      throw new CommandException("Device has no medium");
    }
    Json.Members limits = new Json.Members();
    for (String what : new String[] {"bps", "iops"}) {
      for (String[] kind : new String[][] {{"", "-total"}, {"_rd", "-read"}, {"_wr", "-write"}}) {
        for (String[] part :
            new String[][] {{"", ""}, {"_max", "-max"}, {"_max_length", "-max-length"}}) {
          Long value = arguments.int64OrNull(what + kind[0] + part[0]);
          if (value != null) {
            limits.put(what + kind[1] + part[1], value);
          }
        }
      }
    }
    Long size = arguments.int64OrNull("iops_size");
    if (size != null) {
      limits.put("iops-size", size);
    }
    ThrottleConfig config =
        ThrottleConfig.UNLIMITED.read(OptionReader.of(limits, OptionReader.Style.TYPED));
    daemon.limit(drive.backend(), config, arguments.stringOrNull("group"));
  }

  /** Devices have ids; where there is none, a drive is called by its name. */
  @InCoroutine
  private void setHistograms(OptionReader arguments) throws OptionException, CommandException {
    String id = arguments.string("id");
    Drive drive = daemon.drives().find(id);
    for (Drive each : daemon.drives().all()) {
      if (id.equals(each.device())) {
        drive = each;
      }
    }
    BlockStatistics statistics = drive == null ? null : drive.backend().statistics();
    if (statistics == null) {
      throw notFound(id);
    }
    Json all = CommandList.value(arguments, "boundaries");
    boolean given = all != null;
    for (IoKind kind : List.of(IoKind.READ, IoKind.WRITE, IoKind.FLUSH)) {
      String name = kind.name().toLowerCase(Locale.ROOT);
      Json own = CommandList.value(arguments, "boundaries-" + name);
      Json wanted = own == null ? all : own;
      if (wanted != null) {
        given = true;
        if (!statistics.setHistogram(kind, numbers(wanted))) {
          throw new CommandException("Device '%s' set %s boundaries fail".formatted(id, name));
        }
      }
    }
    if (!given) {
      statistics.clearHistograms();
    }
  }

  private static long[] numbers(Json list) {
    return list instanceof Json.Array array
        ? array.elements().stream().mapToLong(DriveCommands::number).toArray()
        : new long[0];
  }

  private static long number(Json value) {
    return switch (value) {
      case Json.Whole(long number) -> number;
      case Json.Unsigned(long number) -> number;
      default -> 0;
    };
  }
}
