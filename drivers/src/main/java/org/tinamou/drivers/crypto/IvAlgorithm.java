package org.tinamou.drivers.crypto;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/** How a sector's number becomes what its encryption starts from. */
public enum IvAlgorithm {
  /** The low 32 bits, the rest zero. */
  PLAIN("plain"),
  /** All 64 bits. */
  PLAIN64("plain64"),
  /** All 64 bits, encrypted by a hash of the key. */
  ESSIV("essiv");

  private final String text;

  IvAlgorithm(String text) {
    this.text = text;
  }

  /** As options and headers name it. */
  @AnyThread
  public String text() {
    return text;
  }

  /** The one of that name, or null. */
  @AnyThread
  public static @Nullable IvAlgorithm named(String name) {
    for (IvAlgorithm algorithm : values()) {
      if (algorithm.text.equals(name)) {
        return algorithm;
      }
    }
    return null;
  }
}
