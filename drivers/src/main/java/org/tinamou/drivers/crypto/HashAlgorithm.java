package org.tinamou.drivers.crypto;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/** A hash function. */
public enum HashAlgorithm {
  MD5("md5", "MD5", "HmacMD5", 16),
  SHA1("sha1", "SHA-1", "HmacSHA1", 20),
  SHA224("sha224", "SHA-224", "HmacSHA224", 28),
  SHA256("sha256", "SHA-256", "HmacSHA256", 32),
  SHA384("sha384", "SHA-384", "HmacSHA384", 48),
  SHA512("sha512", "SHA-512", "HmacSHA512", 64),
  RIPEMD160("ripemd160", "", "", 20);

  private final String text;
  private final String digestName;
  private final String macName;
  private final int digestBytes;

  HashAlgorithm(String text, String digestName, String macName, int digestBytes) {
    this.text = text;
    this.digestName = digestName;
    this.macName = macName;
    this.digestBytes = digestBytes;
  }

  /** As options and headers name it. */
  @AnyThread
  public String text() {
    return text;
  }

  @AnyThread
  public int digestBytes() {
    return digestBytes;
  }

  /** The one of that name, or null. */
  @AnyThread
  public static @Nullable HashAlgorithm named(String name) {
    for (HashAlgorithm algorithm : values()) {
      if (algorithm.text.equals(name)) {
        return algorithm;
      }
    }
    return null;
  }

  /** Hashes some bytes at a time; for one thread. */
  interface Hasher {
    /** Takes further bytes. */
    void update(byte[] bytes, int offset, int length);

    /** Stores the hash of what was taken, and starts anew. */
    void finish(byte[] target, int offset);
  }

  /** A hash of nothing yet. */
  Hasher hasher() {
    if (this == RIPEMD160) {
      return RarerCiphers.ripemd();
    }
    try {
      return new JdkHasher(MessageDigest.getInstance(digestName));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(digestName, e);
    }
  }

  /** A hash of nothing yet, bound to a key that is not empty. */
  Hasher keyed(byte[] key) {
    if (this == RIPEMD160) {
      return RarerCiphers.keyedRipemd(key);
    }
    try {
      Mac mac = Mac.getInstance(macName);
      mac.init(new SecretKeySpec(key, macName));
      return new JdkMac(mac);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(macName, e);
    }
  }

  /** The hash of some bytes. */
  byte[] hash(byte[] bytes) {
    Hasher hasher = hasher();
    hasher.update(bytes, 0, bytes.length);
    byte[] result = new byte[digestBytes];
    hasher.finish(result, 0);
    return result;
  }

  private record JdkHasher(MessageDigest digest) implements Hasher {
    @Override
    public void update(byte[] bytes, int offset, int length) {
      digest.update(bytes, offset, length);
    }

    @Override
    public void finish(byte[] target, int offset) {
      try {
        digest.digest(target, offset, digest.getDigestLength());
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private record JdkMac(Mac mac) implements Hasher {
    @Override
    public void update(byte[] bytes, int offset, int length) {
      mac.update(bytes, offset, length);
    }

    @Override
    public void finish(byte[] target, int offset) {
      try {
        mac.doFinal(target, offset);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
