package org.tinamou.tools.nbd;

import java.util.List;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/** Why an internal snapshot is not shown. */
final class SnapshotRefusal {
  private static final OptionSchema SCHEMA =
      new OptionSchema(
          List.of(
              OptionSchema.Option.string("snapshot.id", "snapshot id"),
              OptionSchema.Option.string("snapshot.name", "snapshot name")));

  private SnapshotRefusal() {}

  /** Refuses what cannot name a snapshot. */
  static void check(String wanted) throws ToolException {
    if (!wanted.startsWith("snapshot.")) {
      return;
    }
    try {
      SCHEMA.parse(wanted);
    } catch (OptionException e) {
      throw ToolException.of("", e).followedBy("Failed in parsing snapshot param `" + wanted + "'");
    }
  }

  static ToolException of(String wanted, OpenImage image) {
    ImageDescription description = image.description();
    if (description == null) {
      return new ToolException(
          "Failed to load snapshot: Block format '"
              + image.format()
              + "' used by device '' does not support temporarily loading internal snapshots");
    }
    return new ToolException(
        "Failed to load snapshot: "
            + (description.snapshots() == 0
                ? "Can't find snapshot"
                : "internal snapshots such as '"
                    + wanted
                    + "' are not supported by this version of Tinamou"));
  }
}
