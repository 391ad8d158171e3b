package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.BackingName;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.InternalSnapshots;

/**
 * What there is to say about one image.
 *
 * @param name by which it can be opened again
 * @param place the plain name that those below it are relative to, or empty
 * @param allocatedBytes -1 if that is not known
 * @param knowsDirtiness whether it can be said to be clean
 * @param description what its format tells, or null
 * @param snapshots the older states it keeps
 */
record ImageInfo(
    String name,
    String place,
    String format,
    long lengthBytes,
    long allocatedBytes,
    boolean knowsDirtiness,
    @Nullable ImageDescription description,
    List<InternalSnapshots.Snapshot> snapshots) {

  /** The image below as it is written in this one, or null. */
  @Nullable String backingName() {
    return description == null ? null : description.backingName();
  }

  /** The image below as it can be opened from here; null if there is none or nobody knows. */
  @Nullable String fullBackingName() {
    String written = backingName();
    if (written == null) {
      return null;
    }
    if (written.startsWith("json:")) {
      return written;
    }
    try {
      return BackingName.resolve(place, written);
    } catch (BlockException e) {
      return null;
    }
  }
}
