package org.tinamou.drivers.format.qcow2;

import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;

/**
 * Keeps writes away from tables they do not belong to. All calls come from holders of the metadata
 * lock.
 *
 * @param parts where the tables are; empty for an image that is not written to
 */
record MetadataGuard(MetadataMap parts, Damage damage) {
  /** Refuses to write to a piece of the file if there is a table. */
  void beforeWrite(long offset, long bytes) throws BlockException {
    beforeWrite(offset, bytes, null);
  }

  /** The same for a piece that is such a table itself. */
  void beforeWrite(long offset, long bytes, MetadataMap.@Nullable Part itself)
      throws BlockException {
    String hit = parts.overlap(offset, bytes, itself);
    if (hit != null) {
      throw damage.found(
          "Preventing invalid write on metadata (overlaps with " + hit + ")", offset, bytes);
    }
  }
}
