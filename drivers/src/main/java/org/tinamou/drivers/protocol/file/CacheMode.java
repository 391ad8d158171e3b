package org.tinamou.drivers.protocol.file;

import org.jspecify.annotations.Nullable;

/** How writes reach the disk, by the names users give to {@code cache=}. */
public enum CacheMode {
  /** Past the host's page cache. */
  NONE("none", true, false, false),
  WRITEBACK("writeback", false, false, false),
  /** Every write is on the disk when it ends. */
  WRITETHROUGH("writethrough", false, true, false),
  /** Past the host's page cache, and every write is on the disk when it ends. */
  DIRECTSYNC("directsync", true, true, false),
  /** Flushes do nothing. */
  UNSAFE("unsafe", false, false, true);

  private final String text;
  private final boolean direct;
  private final boolean writethrough;
  private final boolean noFlush;

  CacheMode(String text, boolean direct, boolean writethrough, boolean noFlush) {
    this.text = text;
    this.direct = direct;
    this.writethrough = writethrough;
    this.noFlush = noFlush;
  }

  /** The mode of a name, or null; {@code off} is another name of none. */
  public static @Nullable CacheMode parse(String name) {
    if (name.equals("off")) {
      return NONE;
    }
    for (CacheMode mode : values()) {
      if (mode.text.equals(name)) {
        return mode;
      }
    }
    return null;
  }

  public boolean isDirect() {
    return direct;
  }

  public boolean isWritethrough() {
    return writethrough;
  }

  public boolean isNoFlush() {
    return noFlush;
  }
}
