package org.tinamou.drivers.crypto;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/** How a sector's blocks are bound together. */
public enum CipherMode {
  ECB("ecb"),
  CBC("cbc"),
  XTS("xts"),
  CTR("ctr");

  private final String text;

  CipherMode(String text) {
    this.text = text;
  }

  /** As options and headers name it. */
  @AnyThread
  public String text() {
    return text;
  }

  /** How many keys of the cipher it takes. */
  @AnyThread
  public int keys() {
    return this == XTS ? 2 : 1;
  }

  /** The mode of that name, or null. */
  @AnyThread
  public static @Nullable CipherMode named(String name) {
    for (CipherMode mode : values()) {
      if (mode.text.equals(name)) {
        return mode;
      }
    }
    return null;
  }
}
