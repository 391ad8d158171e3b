package org.tinamou.tools.img;

import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/** The snapshot that {@code -l} names: by its identifier, its name, or whichever fits. */
record SnapshotChoice(@Nullable String id, @Nullable String name) {
  private static final OptionSchema SCHEMA =
      new OptionSchema(
          java.util.List.of(
              OptionSchema.Option.string("snapshot.id", "snapshot id"),
              OptionSchema.Option.string("snapshot.name", "snapshot name")));

  static SnapshotChoice parse(String text) throws ToolException {
    if (!text.startsWith("snapshot.")) {
      return new SnapshotChoice(text, text);
    }
    try {
      OptionValues values = SCHEMA.parse(text);
      return new SnapshotChoice(values.string("snapshot.id"), values.string("snapshot.name"));
    } catch (OptionException e) {
      throw ToolException.of("", e).followedBy("Failed in parsing snapshot param '" + text + "'");
    }
  }

  /** What is told of an image that cannot show the snapshot. */
  ToolException refuse(OpenImage image) {
    ImageDescription description = image.description();
    if (description != null) {
      return new ToolException(
          "Failed to load snapshot: "
              + (description.snapshots() == 0
                  ? "Can't find snapshot"
                  : "internal snapshots are not supported by this version of Tinamou"));
    }
    return new ToolException(
        "Failed to load snapshot: Block format '"
            + image.format()
            + "' used by device '' does not support temporarily loading internal snapshots");
  }
}
