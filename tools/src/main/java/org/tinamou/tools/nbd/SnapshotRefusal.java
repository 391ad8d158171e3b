package org.tinamou.tools.nbd;

import org.tinamou.drivers.ImageDescription;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/** Why an internal snapshot is not shown. */
final class SnapshotRefusal {
  private SnapshotRefusal() {}

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
