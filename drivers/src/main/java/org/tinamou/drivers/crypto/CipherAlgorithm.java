package org.tinamou.drivers.crypto;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/** A block cipher with one length of key. */
public enum CipherAlgorithm {
  AES_128("aes-128", "aes", 16, 16),
  AES_192("aes-192", "aes", 24, 16),
  AES_256("aes-256", "aes", 32, 16),
  CAST5_128("cast5-128", "cast5", 16, 8),
  SERPENT_128("serpent-128", "serpent", 16, 16),
  SERPENT_192("serpent-192", "serpent", 24, 16),
  SERPENT_256("serpent-256", "serpent", 32, 16),
  TWOFISH_128("twofish-128", "twofish", 16, 16),
  TWOFISH_192("twofish-192", "twofish", 24, 16),
  TWOFISH_256("twofish-256", "twofish", 32, 16);

  private final String optionName;
  private final String family;
  private final int keyBytes;
  private final int blockBytes;

  CipherAlgorithm(String optionName, String family, int keyBytes, int blockBytes) {
    this.optionName = optionName;
    this.family = family;
    this.keyBytes = keyBytes;
    this.blockBytes = blockBytes;
  }

  /** As options and reports name it, with the length of its key. */
  @AnyThread
  public String optionName() {
    return optionName;
  }

  /** As image headers name it, without the length of its key. */
  @AnyThread
  public String family() {
    return family;
  }

  @AnyThread
  public int keyBytes() {
    return keyBytes;
  }

  @AnyThread
  public int blockBytes() {
    return blockBytes;
  }

  /** The one of that name in options, or null. */
  @AnyThread
  public static @Nullable CipherAlgorithm named(String name) {
    for (CipherAlgorithm algorithm : values()) {
      if (algorithm.optionName.equals(name)) {
        return algorithm;
      }
    }
    return null;
  }

  /** The one of a family with that length of key, or null. */
  @AnyThread
  public static @Nullable CipherAlgorithm of(String family, int keyBytes) {
    for (CipherAlgorithm algorithm : values()) {
      if (algorithm.family.equals(family) && algorithm.keyBytes == keyBytes) {
        return algorithm;
      }
    }
    return null;
  }

  /** Whether it has a family of that name. */
  @AnyThread
  public static boolean hasFamily(String family) {
    for (CipherAlgorithm algorithm : values()) {
      if (algorithm.family.equals(family)) {
        return true;
      }
    }
    return false;
  }
}
