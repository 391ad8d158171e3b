package org.tinamou.daemon.export;

import java.util.List;
import org.tinamou.block.bitmap.DirtyBitmap;

/**
 * How a backend is shown.
 *
 * @param name what clients ask for; may be empty
 * @param description for people; may be empty
 * @param readOnly whether clients may only read
 * @param multiConnection whether a client may use several connections at a time
 * @param offsetBytes where the export begins in the disk
 * @param allocationDepth whether clients may ask how deep in its chain a range is allocated
 * @param bitmaps which clients may read, each under its name
 */
public record ExportSettings(
    String name,
    String description,
    boolean readOnly,
    boolean multiConnection,
    long offsetBytes,
    boolean allocationDepth,
    List<DirtyBitmap> bitmaps) {
  public ExportSettings {
    bitmaps = List.copyOf(bitmaps);
  }

  /** The whole disk under a name, for one client at a time. */
  public static ExportSettings named(String name, boolean readOnly) {
    return new ExportSettings(name, "", readOnly, readOnly, 0, false, List.of());
  }
}
