package org.tinamou.tools.image;

import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.ToolException;

/** The snapshot that {@code -l} names: by its identifier, its name, or whichever fits. */
public record SnapshotChoice(@Nullable String id, @Nullable String name) {
  private static final OptionSchema SCHEMA =
      new OptionSchema(
          java.util.List.of(
              OptionSchema.Option.string("snapshot.id", "snapshot id"),
              OptionSchema.Option.string("snapshot.name", "snapshot name")));

  /** As {@link #parse(String, String)}, in single quotes. */
  public static SnapshotChoice parse(String text) throws ToolException {
    return parse(text, "'" + text + "'");
  }

  /**
   * Reads an option's value.
   *
   * @param shown the value as messages show it
   */
  public static SnapshotChoice parse(String text, String shown) throws ToolException {
    if (!text.startsWith("snapshot.")) {
      return new SnapshotChoice(text, text);
    }
    try {
      OptionValues values = SCHEMA.parse(text);
      return new SnapshotChoice(values.string("snapshot.id"), values.string("snapshot.name"));
    } catch (OptionException e) {
      throw ToolException.of("", e).followedBy("Failed in parsing snapshot param " + shown);
    }
  }

  /** Makes an image show the snapshot. */
  public void show(OpenImage image) throws ToolException {
    InternalSnapshots snapshots = image.internalSnapshots();
    if (snapshots == null) {
      throw new ToolException(
          "Failed to load snapshot: Block format '"
              + image.format()
              + "' used by device '' does not support temporarily loading internal snapshots");
    }
    InternalSnapshots.Snapshot found =
        id != null && id.equals(name) ? snapshots.findByIdOrName(id) : snapshots.find(id, name);
    if (found == null) {
      throw new ToolException("Failed to load snapshot: Can't find snapshot");
    }
    try {
      snapshots.showSnapshot(found.id());
    } catch (BlockException e) {
      throw ToolException.of("Failed to load snapshot: ", e);
    }
  }
}
