package org.tinamou.drivers.crypto;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Spreads a key over many stripes, all of which are needed to get it back: once a part of them has
 * been overwritten the key is gone.
 */
public final class AntiForensicSplit {
  private final HashAlgorithm hash;
  private final int stripes;

  /** A way to spread keys. */
  public AntiForensicSplit(HashAlgorithm hash, int stripes) {
    this.hash = hash;
    this.stripes = stripes;
  }

  /** The stripes of a key. */
  public byte[] split(byte[] key, RandomGenerator random) {
    byte[] material = new byte[key.length * stripes];
    random.nextBytes(material);
    byte[] mixed = mixed(material, key.length);
    int last = material.length - key.length;
    for (int i = 0; i < key.length; i++) {
      material[last + i] = (byte) (mixed[i] ^ key[i]);
    }
    return material;
  }

  /** The key of stripes. */
  public byte[] merge(byte[] material) {
    int keyBytes = material.length / stripes;
    byte[] key = mixed(material, keyBytes);
    int last = material.length - keyBytes;
    for (int i = 0; i < keyBytes; i++) {
      key[i] ^= material[last + i];
    }
    return key;
  }

  /** All stripes but the last, mixed. */
  private byte[] mixed(byte[] material, int keyBytes) {
    HashAlgorithm.Hasher hasher = hash.hasher();
    byte[] block = new byte[keyBytes];
    for (int at = 0; at < material.length - keyBytes; at += keyBytes) {
      for (int i = 0; i < keyBytes; i++) {
        block[i] ^= material[at + i];
      }
      diffuse(hasher, block);
    }
    return block;
  }

  private void diffuse(HashAlgorithm.Hasher hasher, byte[] block) {
    int digestBytes = hash.digestBytes();
    byte[] digest = new byte[digestBytes];
    for (int at = 0, number = 0; at < block.length; at += digestBytes, number++) {
      int length = Math.min(digestBytes, block.length - at);
      hasher.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, number).array(), 0, Integer.BYTES);
      hasher.update(block, at, length);
      hasher.finish(digest, 0);
      System.arraycopy(digest, 0, block, at, length);
    }
    Arrays.fill(digest, (byte) 0);
  }
}
