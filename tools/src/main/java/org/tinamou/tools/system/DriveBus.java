package org.tinamou.tools.system;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a drive is plugged into, as {@code if=} has it. */
enum DriveBus {
  NONE(0),
  IDE(2),
  SCSI(7),
  FLOPPY(0),
  PFLASH(0),
  MTD(0),
  SD(0),
  VIRTIO(0),
  XEN(0);

  private final int unitsPerBus;

  DriveBus(int unitsPerBus) {
    this.unitsPerBus = unitsPerBus;
  }

  static @Nullable DriveBus of(String name) {
    for (DriveBus bus : values()) {
      if (bus.text().equals(name)) {
        return bus;
      }
    }
    return null;
  }

  /** As users write it. */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** How many drives one bus takes, 0 for any number. */
  int unitsPerBus() {
    return unitsPerBus;
  }

  /** Whether what happens on errors can be chosen. */
  boolean hasErrorPolicies() {
    return this == NONE || this == IDE || this == SCSI || this == VIRTIO;
  }
}
