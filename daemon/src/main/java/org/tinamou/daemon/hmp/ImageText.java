package org.tinamou.daemon.hmp;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.HumanSize;
import org.tinamou.qapi.Json;

/** Describes images and snapshots for people. */
final class ImageText {
  private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");
  private static final long NANOS_PER_MILLI = 1_000_000;

  private ImageText() {}

  /** An image and all below it. */
  static void chain(Json.Members image, StringBuilder out) {
    for (Json.Members each = image;
        each != null;
        each = JsonFields.objectOrNull(each, "backing-image")) {
      one(each, out);
    }
  }

  private static void one(Json.Members image, StringBuilder out) {
    long size = JsonFields.number(image, "virtual-size");
    line(out, "image", JsonFields.text(image, "filename"));
    line(out, "file format", JsonFields.text(image, "format"));
    line(out, "virtual size", HumanSize.threeDigits(size) + " (" + size + " bytes)");
    line(
        out,
        "disk size",
        JsonFields.has(image, "actual-size")
            ? HumanSize.threeDigits(JsonFields.number(image, "actual-size"))
            : "unavailable");
    if (JsonFields.flag(image, "encrypted")) {
      line(out, "encrypted", "yes");
    }
    if (JsonFields.has(image, "cluster-size")) {
      line(out, "cluster_size", JsonFields.text(image, "cluster-size"));
    }
    if (JsonFields.flag(image, "dirty-flag")) {
      line(out, "cleanly shut down", "no");
    }
    backing(image, out);
    snapshots(image, out);
    Json.Members specific = JsonFields.objectOrNull(image, "format-specific");
    if (specific != null) {
      out.append("Format specific information:\n");
      value(specific.members().get("data"), 1, out);
    }
  }

  private static void line(StringBuilder out, String name, String value) {
    out.append(name).append(": ").append(value).append('\n');
  }

  private static void backing(Json.Members image, StringBuilder out) {
    String backing = JsonFields.textOrNull(image, "backing-filename");
    if (backing == null) {
      return;
    }
    String full = JsonFields.textOrNull(image, "full-backing-filename");
    String remark = "";
    if (full == null) {
      remark = " (cannot determine actual path)";
    } else if (!full.equals(backing)) {
      remark = " (actual path: " + full + ")";
    }
    line(out, "backing file", backing + remark);
    String format = JsonFields.textOrNull(image, "backing-filename-format");
    if (format != null) {
      line(out, "backing file format", format);
    }
  }

  private static void snapshots(Json.Members image, StringBuilder out) {
    var all = JsonFields.objects(image.members().get("snapshots"));
    if (!all.isEmpty()) {
      out.append("Snapshot list:\n");
      snapshotTable(all, out);
    }
  }

  /** A table of snapshots with its head. */
  static void snapshotTable(Iterable<Json.Members> snapshots, StringBuilder out) {
    row(out, "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
    for (Json.Members each : snapshots) {
      long seconds = JsonFields.number(each, "vm-clock-sec");
      row(
          out,
          JsonFields.text(each, "id"),
          JsonFields.text(each, "name"),
          HumanSize.threeDigits(JsonFields.number(each, "vm-state-size")),
          DATE.format(
              Instant.ofEpochSecond(JsonFields.number(each, "date-sec"))
                  .atZone(ZoneId.systemDefault())),
          String.format(
              Locale.ROOT,
              "%02d:%02d:%02d.%03d",
              seconds / 3600,
              seconds / 60 % 60,
              seconds % 60,
              JsonFields.number(each, "vm-clock-nsec") / NANOS_PER_MILLI),
          JsonFields.text(each, "icount"));
    }
  }

  private static void row(StringBuilder out, Object... columns) {
    out.append(String.format(Locale.ROOT, "%-9s %-16s %8s%20s%13s%11s\n", columns));
  }

  /** What a format says of itself, whatever that is. */
  private static void value(@Nullable Json value, int depth, StringBuilder out) {
    if (value instanceof Json.Members object) {
      for (Map.Entry<String, Json> member : object.members().entrySet()) {
        out.repeat("    ", depth).append(member.getKey().replace('-', ' ')).append(':');
        below(member.getValue(), depth, out);
      }
    } else if (value instanceof Json.Array array) {
      int index = 0;
      for (Json element : array.elements()) {
        out.repeat("    ", depth).append('[').append(index++).append("]:");
        below(element, depth, out);
      }
    }
  }

  private static void below(Json value, int depth, StringBuilder out) {
    if (value instanceof Json.Scalar scalar) {
      out.append(' ').append(scalar.text()).append('\n');
    } else {
      out.append('\n');
      value(value, depth + 1, out);
    }
  }
}
