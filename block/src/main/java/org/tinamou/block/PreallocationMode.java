package org.tinamou.block;

import org.jspecify.annotations.Nullable;

/** How space is reserved when a node grows. */
public enum PreallocationMode {
  /** It stays a hole. */
  OFF("off"),
  /** The format's metadata only. */
  METADATA("metadata"),
  /** The host reserves space without writing it. */
  FALLOC("falloc"),
  /** Zeroes are written. */
  FULL("full");

  private final String text;

  PreallocationMode(String text) {
    this.text = text;
  }

  /** The name users know it by. */
  public String text() {
    return text;
  }

  /** The mode of a name, or null. */
  public static @Nullable PreallocationMode parse(String name) {
    for (PreallocationMode mode : values()) {
      if (mode.text.equals(name)) {
        return mode;
      }
    }
    return null;
  }
}
