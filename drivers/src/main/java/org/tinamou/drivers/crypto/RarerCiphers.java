package org.tinamou.drivers.crypto;

import org.bouncycastle.crypto.BlockCipher;
import org.bouncycastle.crypto.digests.RIPEMD160Digest;
import org.bouncycastle.crypto.engines.CAST5Engine;
import org.bouncycastle.crypto.engines.SerpentEngine;
import org.bouncycastle.crypto.engines.TwofishEngine;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.KeyParameter;

/** What the JDK lacks and Bouncy Castle has. Nothing of that is loaded before it is asked for. */
final class RarerCiphers {
  private RarerCiphers() {}

  static BlockCrypt blocks(CipherAlgorithm algorithm, byte[] key) {
    return new Blocks(engine(algorithm, key, true), engine(algorithm, key, false));
  }

  static HashAlgorithm.Hasher ripemd() {
    return new Ripemd(new RIPEMD160Digest());
  }

  static HashAlgorithm.Hasher keyedRipemd(byte[] key) {
    HMac mac = new HMac(new RIPEMD160Digest());
    mac.init(new KeyParameter(key));
    return new KeyedRipemd(mac);
  }

  private static BlockCipher engine(CipherAlgorithm algorithm, byte[] key, boolean encrypting) {
    BlockCipher engine =
        switch (algorithm) {
          case CAST5_128 -> new CAST5Engine();
          case SERPENT_128, SERPENT_192, SERPENT_256 -> new SerpentEngine();
          case TWOFISH_128, TWOFISH_192, TWOFISH_256 -> new TwofishEngine();
          default -> throw new IllegalArgumentException(algorithm.optionName());
        };
    engine.init(encrypting, new KeyParameter(key));
    return engine;
  }

  private record Blocks(BlockCipher encryption, BlockCipher decryption) implements BlockCrypt {
    @Override
    public void encrypt(byte[] from, byte[] to, int length) {
      run(encryption, from, to, length);
    }

    @Override
    public void decrypt(byte[] from, byte[] to, int length) {
      run(decryption, from, to, length);
    }

    private static void run(BlockCipher cipher, byte[] from, byte[] to, int length) {
      for (int at = 0; at < length; at += cipher.getBlockSize()) {
        cipher.processBlock(from, at, to, at);
      }
    }
  }

  private record Ripemd(RIPEMD160Digest digest) implements HashAlgorithm.Hasher {
    @Override
    public void update(byte[] bytes, int offset, int length) {
      digest.update(bytes, offset, length);
    }

    @Override
    public void finish(byte[] target, int offset) {
      digest.doFinal(target, offset);
    }
  }

  private record KeyedRipemd(HMac mac) implements HashAlgorithm.Hasher {
    @Override
    public void update(byte[] bytes, int offset, int length) {
      mac.update(bytes, offset, length);
    }

    @Override
    public void finish(byte[] target, int offset) {
      mac.doFinal(target, offset);
    }
  }
}
