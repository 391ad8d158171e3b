package org.tinamou.drivers.format.luks;

import org.tinamou.drivers.format.luks.LuksHeader.KeySlot;

/** Where the material of a key may go. Pure functions over a header. */
final class SlotPlaces {
  private static final long UNIT = LuksHeader.ALIGNMENT_SECTORS;

  private final LuksHeader header;

  private final long length;

  private final long limit;

  /**
   * The places of a volume.
   *
   * @param roomSectors header and slots may take so many
   */
  SlotPlaces(LuksHeader header, long roomSectors) {
    this.header = header;
    this.length = LuksHeader.slotSectors(header.keyBytes());
    // Behind a header in a file of its own there may be no data.
    boolean apart = header.payloadSector() < header.slots().getFirst().firstSector();
    this.limit = apart ? roomSectors : Math.min(roomSectors, header.payloadSector());
  }

  private boolean isFree(long from) {
    for (KeySlot slot : header.slots()) {
      long start = slot.firstSector();
      if (from < start + length && start < from + length) {
        return false;
      }
    }
    return from + length <= limit;
  }

  /**
   * A place that no slot has.
   *
   * @return -1 if there is none
   */
  long another() {
    if (isFree(UNIT)) {
      return UNIT;
    }
    for (KeySlot slot : header.slots()) {
      long behind = LuksHeader.aligned(slot.firstSector() + length);
      if (isFree(behind)) {
        return behind;
      }
    }
    return -1;
  }
}
