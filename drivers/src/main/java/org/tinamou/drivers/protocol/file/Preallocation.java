package org.tinamou.drivers.protocol.file;

import org.jspecify.annotations.Nullable;

/** What happens to new space of a file. */
public enum Preallocation {
  /** It stays a hole. */
  OFF,
  /** Room for the format's tables only; files have none. */
  METADATA,
  /** It is reserved and reads as zeroes. */
  FALLOC,
  /** Zeroes are written to it. */
  FULL;

  /** The name users know it by. */
  public String text() {
    return switch (this) {
      case OFF -> "off";
      case METADATA -> "metadata";
      case FALLOC -> "falloc";
      case FULL -> "full";
    };
  }

  /** The mode of a name, or null. */
  public static @Nullable Preallocation parse(String name) {
    for (Preallocation mode : values()) {
      if (mode.text().equals(name)) {
        return mode;
      }
    }
    return null;
  }
}
