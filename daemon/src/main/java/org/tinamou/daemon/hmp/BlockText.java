package org.tinamou.daemon.hmp;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.Json;

/** Describes drives, nodes, their statistics and jobs for people, from replies to programs. */
final class BlockText {
  private static final List<String> LIMITS =
      List.of(
          "bps",
          "bps_rd",
          "bps_wr",
          "bps_max",
          "bps_rd_max",
          "bps_wr_max",
          "iops",
          "iops_rd",
          "iops_wr",
          "iops_max",
          "iops_rd_max",
          "iops_wr_max",
          "iops_size");
  private static final List<String> COUNTERS =
      List.of(
          "rd_bytes",
          "wr_bytes",
          "rd_operations",
          "wr_operations",
          "flush_operations",
          "wr_total_time_ns",
          "rd_total_time_ns",
          "flush_total_time_ns",
          "rd_merged",
          "wr_merged",
          "idle_time_ns");

  private BlockText() {}

  /** What {@code info block} shows of a reply to query-block. */
  static String drives(Json reply, @Nullable String device, boolean verbose) {
    return all(
        reply,
        "device",
        device,
        each -> block(each, JsonFields.objectOrNull(each, "inserted"), verbose));
  }

  /** The same of a reply to query-named-block-nodes. */
  static String nodes(Json reply, @Nullable String name, boolean verbose) {
    return all(reply, "node-name", name, each -> block(null, each, verbose));
  }

  /** Those of a name; the reference has an empty line before each but the first of the reply. */
  private static String all(
      Json reply, String key, @Nullable String wanted, Function<Json.Members, String> describe) {
    StringBuilder out = new StringBuilder();
    boolean first = true;
    for (Json.Members each : JsonFields.objects(reply)) {
      if (wanted == null || wanted.equals(JsonFields.text(each, key))) {
        out.append(first ? "" : "\n").append(describe.apply(each));
      }
      first = false;
    }
    return out.toString();
  }

  private static String block(
      Json.@Nullable Members drive, Json.@Nullable Members inserted, boolean verbose) {
    StringBuilder out = new StringBuilder();
    String nodeName = inserted == null ? null : JsonFields.textOrNull(inserted, "node-name");
    if (drive != null) {
      String device = JsonFields.text(drive, "device");
      out.append(device.isEmpty() ? JsonFields.text(drive, "qdev") : device);
      if (nodeName != null) {
        out.append(" (").append(nodeName).append(')');
      }
    } else {
      out.append(nodeName == null ? "<anonymous>" : nodeName);
    }
    if (inserted == null) {
      out.append(": [not inserted]\n");
    } else {
      out.append(": ").append(JsonFields.text(inserted, "file"));
      out.append(" (").append(JsonFields.text(inserted, "drv"));
      out.append(JsonFields.flag(inserted, "ro") ? ", read-only" : "");
      out.append(JsonFields.flag(inserted, "encrypted") ? ", encrypted" : "").append(")\n");
    }
    if (drive != null) {
      drive(drive, out);
    }
    if (inserted != null) {
      inserted(inserted, verbose, out);
    }
    return out.toString();
  }

  private static void line(StringBuilder out, String name, String value) {
    out.append("    ").append(name).append(":").repeat(" ", 17 - name.length());
    out.append(value).append('\n');
  }

  private static void drive(Json.Members drive, StringBuilder out) {
    String attached = JsonFields.textOrNull(drive, "qdev");
    if (attached != null && !attached.isEmpty()) {
      line(out, "Attached to", attached);
    }
    String status = JsonFields.textOrNull(drive, "io-status");
    if (status != null && !status.equals("ok")) {
      line(out, "I/O status", status);
    }
    if (JsonFields.flag(drive, "removable")) {
      out.append("    Removable device: ");
      out.append(JsonFields.flag(drive, "locked") ? "" : "not ").append("locked, tray ");
      out.append(JsonFields.flag(drive, "tray_open") ? "open\n" : "closed\n");
    }
  }

  private static void inserted(Json.Members inserted, boolean verbose, StringBuilder out) {
    Json.Members cache = JsonFields.objectOrNull(inserted, "cache");
    if (cache != null) {
      line(
          out,
          "Cache mode",
          (JsonFields.flag(cache, "writeback") ? "writeback" : "writethrough")
              + (JsonFields.flag(cache, "direct") ? ", direct" : "")
              + (JsonFields.flag(cache, "no-flush") ? ", ignore flushes" : ""));
    }
    String backing = JsonFields.textOrNull(inserted, "backing_file");
    if (backing != null) {
      String depth = JsonFields.text(inserted, "backing_file_depth");
      line(out, "Backing file", backing + " (chain depth: " + depth + ")");
    }
    String zeroes = JsonFields.text(inserted, "detect_zeroes");
    if (!zeroes.isEmpty() && !zeroes.equals("off")) {
      line(out, "Detect zeroes", zeroes);
    }
    if (List.of("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr").stream()
        .anyMatch(name -> JsonFields.number(inserted, name) != 0)) {
      StringBuilder limits = new StringBuilder();
      for (String name : LIMITS) {
        limits.append(name).append('=').append(JsonFields.number(inserted, name)).append(' ');
      }
      line(out, "I/O throttling", limits + "group=" + JsonFields.text(inserted, "group"));
    }
    Json.Members image = JsonFields.objectOrNull(inserted, "image");
    if (verbose && image != null) {
      out.append("\nImages:\n");
      ImageText.chain(image, out);
    }
  }

  /** What {@code info blockstats} shows of a reply to query-blockstats. */
  static String statistics(Json reply) {
    StringBuilder out = new StringBuilder();
    for (Json.Members each : JsonFields.objects(reply)) {
      String device = JsonFields.textOrNull(each, "device");
      Json.Members counters = JsonFields.objectOrNull(each, "stats");
      if (device == null || counters == null) {
        continue;
      }
      out.append(device).append(':');
      for (String name : COUNTERS) {
        out.append(' ').append(name).append('=').append(JsonFields.number(counters, name));
      }
      out.append('\n');
    }
    return out.toString();
  }

  /** What {@code info block-jobs} shows of a reply to query-block-jobs. */
  static String jobs(Json reply) {
    StringBuilder out = new StringBuilder();
    for (Json.Members each : JsonFields.objects(reply)) {
      String type = JsonFields.text(each, "type");
      out.append(type.equals("stream") ? "Streaming" : "Type " + type + ",");
      out.append(" device ").append(JsonFields.text(each, "device"));
      out.append(": Completed ").append(JsonFields.number(each, "offset"));
      out.append(" of ").append(JsonFields.number(each, "len"));
      out.append(" bytes, speed limit ").append(JsonFields.number(each, "speed"));
      out.append(" bytes/s\n");
    }
    return out.isEmpty() ? "No active jobs\n" : out.toString();
  }
}
