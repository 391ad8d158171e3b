package org.tinamou.drivers.crypto;

import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;

/** A block cipher with a key, each block by itself; for one thread at a time. */
interface BlockCrypt {
  /** Encrypts the first bytes of one array, whole blocks, to the beginning of another. */
  void encrypt(byte[] from, byte[] to, int length);

  /** The other way round. */
  void decrypt(byte[] from, byte[] to, int length);

  /** A cipher with a key of the right length. */
  static BlockCrypt of(CipherAlgorithm algorithm, byte[] key) {
    return switch (algorithm) {
      case AES_128, AES_192, AES_256 -> Aes.of(key);
      default -> RarerCiphers.blocks(algorithm, key);
    };
  }

  /** The JDK's AES, which the processor does when it is asked for many blocks at a time. */
  record Aes(Cipher encryption, Cipher decryption) implements BlockCrypt {
    private static final String NAME = "AES/ECB/NoPadding";

    static Aes of(byte[] key) {
      try {
        SecretKeySpec spec = new SecretKeySpec(key, "AES");
        Cipher encryption = Cipher.getInstance(NAME);
        encryption.init(Cipher.ENCRYPT_MODE, spec);
        Cipher decryption = Cipher.getInstance(NAME);
        decryption.init(Cipher.DECRYPT_MODE, spec);
        return new Aes(encryption, decryption);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(NAME, e);
      }
    }

    @Override
    public void encrypt(byte[] from, byte[] to, int length) {
      run(encryption, from, to, length);
    }

    @Override
    public void decrypt(byte[] from, byte[] to, int length) {
      run(decryption, from, to, length);
    }

    private static void run(Cipher cipher, byte[] from, byte[] to, int length) {
      try {
        cipher.update(from, 0, length, to, 0);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(NAME, e);
      }
    }
  }
}
