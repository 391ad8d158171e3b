package org.tinamou.tools.img;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.AnyThread;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.qapi.HumanSize;
import org.tinamou.qapi.Json;
import org.tinamou.tools.cli.Console;

/** Lists of snapshots, for people and for programs. */
public final class SnapshotText {
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private SnapshotText() {}

  /** Prints nothing if there are none. */
  static void print(Console console, List<InternalSnapshots.Snapshot> snapshots) {
    if (snapshots.isEmpty()) {
      return;
    }
    console.line("Snapshot list:");
    lines(snapshots, false).forEach(console::line);
  }

  /**
   * A table with its head.
   *
   * @param withoutIds for snapshots that several images have by the same name
   */
  @AnyThread
  public static List<String> lines(List<InternalSnapshots.Snapshot> snapshots, boolean withoutIds) {
    // Not before there is a date to tell: all time zones of the world are read for it.
    DateTimeFormatter dates =
        DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());
    List<String> lines = new ArrayList<>();
    lines.add(line("ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT"));
    for (InternalSnapshots.Snapshot snapshot : snapshots) {
      lines.add(
          line(
              withoutIds ? "--" : snapshot.id(),
              snapshot.name(),
              HumanSize.threeDigits(snapshot.vmStateBytes()),
              dates.format(Instant.ofEpochSecond(snapshot.dateSeconds())),
              clock(snapshot.vmClockNanos()),
              snapshot.instructions() < 0 ? "" : Long.toString(snapshot.instructions())));
    }
    return lines;
  }

  private static String line(
      String id, String name, String size, String date, String clock, String count) {
    return "%-9s %-16s %8s%20s%13s%11s".formatted(id, name, size, date, clock, count);
  }

  private static String clock(long nanos) {
    long seconds = nanos / NANOS_PER_SECOND;
    return "%02d:%02d:%02d.%03d"
        .formatted(
            seconds / 3600, seconds / 60 % 60, seconds % 60, nanos % NANOS_PER_SECOND / 1_000_000);
  }

  static Json json(List<InternalSnapshots.Snapshot> snapshots) {
    Json.Array all = new Json.Array();
    for (InternalSnapshots.Snapshot snapshot : snapshots) {
      Json.Members members = new Json.Members();
      if (snapshot.instructions() >= 0) {
        members.put("icount", snapshot.instructions());
      }
      members.put("vm-clock-nsec", snapshot.vmClockNanos() % NANOS_PER_SECOND);
      members.put("name", snapshot.name());
      members.put("date-sec", snapshot.dateSeconds());
      members.put("date-nsec", (long) snapshot.dateNanos());
      members.put("vm-clock-sec", snapshot.vmClockNanos() / NANOS_PER_SECOND);
      members.put("id", snapshot.id());
      members.put("vm-state-size", snapshot.vmStateBytes());
      all.add(members);
    }
    return all;
  }
}
