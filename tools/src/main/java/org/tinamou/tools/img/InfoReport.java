package org.tinamou.tools.img;

import java.util.List;
import java.util.Map;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.qapi.HumanSize;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.MemberOrder;
import org.tinamou.tools.cli.Console;

/** The words in which images are described, for people and for programs. */
final class InfoReport {
  private static final int INDENTATION = 4;

  private InfoReport() {}

  static void print(Console console, ImageInfo info) {
    console.line("image: " + info.name());
    console.line("file format: " + info.format());
    console.line(
        "virtual size: "
            + HumanSize.threeDigits(info.lengthBytes())
            + " ("
            + info.lengthBytes()
            + " bytes)");
    console.line(
        "disk size: "
            + (info.allocatedBytes() < 0
                ? "unavailable"
                : HumanSize.threeDigits(info.allocatedBytes())));
    ImageDescription description = info.description();
    if (description != null) {
      print(console, info, description);
    }
  }

  private static void print(Console console, ImageInfo info, ImageDescription description) {
    if (description.encrypted()) {
      console.line("encrypted: yes");
    }
    if (description.clusterBytes() > 0) {
      console.line("cluster_size: " + description.clusterBytes());
    }
    if (description.dirty()) {
      console.line("cleanly shut down: no");
    }
    String backing = description.backingName();
    if (backing != null) {
      String full = info.fullBackingName();
      String place = "";
      if (full == null) {
        place = " (cannot determine actual path)";
      } else if (!full.equals(backing)) {
        place = " (actual path: " + full + ")";
      }
      console.line("backing file: " + backing + place);
      if (description.backingFormat() != null) {
        console.line("backing file format: " + description.backingFormat());
      }
    }
    SnapshotText.print(console, info.snapshots());
    console.line("Format specific information:");
    members(console, ordered(description), 1);
  }

  private static Json.Members ordered(ImageDescription description) {
    return (Json.Members) MemberOrder.sorted(description.specific());
  }

  private static void members(Console console, Json.Members members, int depth) {
    for (Map.Entry<String, Json> member : members.members().entrySet()) {
      value(console, member.getKey().replace('-', ' '), member.getValue(), depth);
    }
  }

  private static void value(Console console, String label, Json value, int depth) {
    String head = " ".repeat(INDENTATION * depth) + label + ":";
    // No switch over types: linking one takes longer than the rest of the report.
    if (value instanceof Json.Members members) {
      console.line(head);
      members(console, members, depth + 1);
    } else if (value instanceof Json.Array array) {
      console.line(head);
      List<Json> elements = array.elements();
      for (int index = 0; index < elements.size(); index++) {
        value(console, "[" + index + "]", elements.get(index), depth + 1);
      }
    } else if (value instanceof Json.Scalar scalar) {
      console.line(head + " " + scalar.text());
    }
  }

  static Json json(ImageInfo info) {
    Json.Members members =
        new Json.Members()
            .put("filename", info.name())
            .put("format", info.format())
            .put("virtual-size", info.lengthBytes());
    if (info.allocatedBytes() >= 0) {
      members.put("actual-size", info.allocatedBytes());
    }
    ImageDescription description = info.description();
    if (description == null) {
      if (info.knowsDirtiness()) {
        members.put("dirty-flag", false);
      }
      return MemberOrder.sorted(members);
    }
    if (description.clusterBytes() > 0) {
      members.put("cluster-size", description.clusterBytes());
    }
    if (description.encrypted()) {
      members.put("encrypted", true);
    }
    members.put("dirty-flag", description.dirty());
    if (!info.snapshots().isEmpty()) {
      members.put("snapshots", SnapshotText.json(info.snapshots()));
    }
    members.put(
        "format-specific",
        new Json.Members().put("type", info.format()).put("data", description.specific()));
    putIfPresent(members, "backing-filename", description.backingName());
    putIfPresent(members, "full-backing-filename", info.fullBackingName());
    if (description.backingName() != null) {
      putIfPresent(members, "backing-filename-format", description.backingFormat());
    }
    return MemberOrder.sorted(members);
  }

  private static void putIfPresent(
      Json.Members members, String name, @org.jspecify.annotations.Nullable String value) {
    if (value != null) {
      members.put(name, value);
    }
  }
}
