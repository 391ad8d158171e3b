package org.tinamou.drivers.crypto;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import javax.crypto.Cipher;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sectors against the JDK's own modes, and against the definitions where it has none. */
final class SectorCipherTest {
  private static final int SECTORS = 100;
  private static final long FIRST = 0x1_0000_0007L;

  private final Random random = new Random(1);

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] run(SectorCipher cipher, byte[] data, long first, boolean encrypting) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(data.length);
      memory.copyFrom(MemorySegment.ofArray(data));
      if (encrypting) {
        cipher.encrypt(memory, memory, first);
      } else {
        cipher.decrypt(memory, memory, first);
      }
      return memory.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static SectorCipher.Spec spec(
      CipherAlgorithm algorithm, CipherMode mode, IvAlgorithm iv, @Nullable HashAlgorithm hash) {
    return new SectorCipher.Spec(algorithm, mode, iv, hash);
  }

  private static byte[] number(long sector) {
    return ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(sector).array();
  }

  private static byte[] jdk(String mode, byte[] key, byte[] iv, byte[] data)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/" + mode + "/NoPadding");
    SecretKeySpec spec = new SecretKeySpec(key, "AES");
    if (mode.equals("ECB")) {
      cipher.init(Cipher.ENCRYPT_MODE, spec);
    } else {
      cipher.init(Cipher.ENCRYPT_MODE, spec, new IvParameterSpec(iv));
    }
    return cipher.doFinal(data);
  }

  @ParameterizedTest
  @EnumSource(names = {"CBC", "CTR", "ECB"})
  void modesTheJdkHas(CipherMode mode) throws GeneralSecurityException {
    byte[] key = bytes(32);
    byte[] plain = bytes(SECTORS * 512);
    SectorCipher cipher =
        new SectorCipher(spec(CipherAlgorithm.AES_256, mode, IvAlgorithm.PLAIN64, null), key);
    byte[] encrypted = run(cipher, plain, FIRST, true);
    for (int i = 0; i < SECTORS; i++) {
      byte[] sector = Arrays.copyOfRange(plain, i * 512, i * 512 + 512);
      assertArrayEquals(
          jdk(mode.name(), key, number(FIRST + i), sector),
          Arrays.copyOfRange(encrypted, i * 512, i * 512 + 512),
          "sector " + i);
    }
    assertArrayEquals(plain, run(cipher, encrypted, FIRST, false));
  }

  @Test
  void essivHidesSectorNumbers() throws GeneralSecurityException {
    byte[] key = bytes(16);
    byte[] plain = bytes(512);
    SectorCipher.Spec spec =
        spec(CipherAlgorithm.AES_128, CipherMode.CBC, IvAlgorithm.ESSIV, HashAlgorithm.SHA256);
    byte[] iv = jdk("ECB", HashAlgorithm.SHA256.hash(key), new byte[0], number(FIRST));
    assertArrayEquals(
        jdk("CBC", key, iv, plain), run(new SectorCipher(spec, key), plain, FIRST, true));
  }

  @Test
  void plainNumbersHave32Bits() {
    byte[] key = bytes(16);
    byte[] plain = bytes(1024);
    SectorCipher cipher =
        new SectorCipher(
            spec(CipherAlgorithm.AES_128, CipherMode.CBC, IvAlgorithm.PLAIN, null), key);
    assertArrayEquals(run(cipher, plain, 7, true), run(cipher, plain, FIRST, true));
  }

  @Test
  void xtsOfTheStandard() {
    // IEEE 1619, vector 4: AES-128, sector 0, bytes 0 to 255 twice.
    byte[] key =
        HexFormat.of().parseHex("2718281828459045235360287471352631415926535897932384626433832795");
    byte[] plain = new byte[512];
    for (int i = 0; i < plain.length; i++) {
      plain[i] = (byte) i;
    }
    SectorCipher cipher =
        new SectorCipher(
            spec(CipherAlgorithm.AES_128, CipherMode.XTS, IvAlgorithm.PLAIN64, null), key);
    byte[] encrypted = run(cipher, plain, 0, true);
    assertEquals(
        "27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c",
        HexFormat.of().formatHex(encrypted, 0, 32));
    assertArrayEquals(plain, run(cipher, encrypted, 0, false));
  }

  @ParameterizedTest
  @EnumSource
  void everyCipherComesBack(CipherAlgorithm algorithm) {
    for (CipherMode mode : CipherMode.values()) {
      if (mode == CipherMode.XTS && algorithm.blockBytes() != 16) {
        continue;
      }
      SectorCipher.Spec spec = spec(algorithm, mode, IvAlgorithm.PLAIN64, null);
      SectorCipher cipher = new SectorCipher(spec, bytes(spec.keyBytes()));
      byte[] plain = bytes(SECTORS * 512);
      byte[] whole = run(cipher, plain, FIRST, true);
      byte[] tail = Arrays.copyOfRange(plain, 51_200 - 1024, 51_200);
      assertArrayEquals(
          Arrays.copyOfRange(whole, 51_200 - 1024, 51_200),
          run(cipher, tail, FIRST + SECTORS - 2, true),
          mode.text());
      assertArrayEquals(plain, run(cipher, whole, FIRST, false), mode.text());
    }
  }

  @Test
  void manyThreadsAtOnce() {
    SectorCipher.Spec spec =
        spec(CipherAlgorithm.AES_256, CipherMode.XTS, IvAlgorithm.PLAIN64, null);
    SectorCipher cipher = new SectorCipher(spec, bytes(64));
    byte[] plain = bytes(SECTORS * 512);
    byte[] expected = run(cipher, plain, FIRST, true);
    IntStream.range(0, 200)
        .parallel()
        .forEach(
            i -> {
              assertArrayEquals(expected, run(cipher, plain, FIRST, true));
              assertArrayEquals(plain, run(cipher, expected, FIRST, false));
            });
  }

  @Test
  void keysOfPasswords() throws GeneralSecurityException {
    for (HashAlgorithm hash : HashAlgorithm.values()) {
      if (hash == HashAlgorithm.RIPEMD160 || hash == HashAlgorithm.MD5) {
        continue; // the JDK has neither
      }
      byte[] salt = bytes(32);
      byte[] expected =
          SecretKeyFactory.getInstance("PBKDF2WithHmac" + hash.name())
              .generateSecret(new PBEKeySpec("secret".toCharArray(), salt, 77, 64 * Byte.SIZE))
              .getEncoded();
      byte[] key = new KeyDerivation(hash, () -> false).derive("secret".getBytes(), salt, 77, 64);
      assertArrayEquals(expected, key, hash.text());
    }
  }

  @Test
  void ripemdOfTheAuthors() {
    assertEquals(
        "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
        HexFormat.of().formatHex(HashAlgorithm.RIPEMD160.hash("abc".getBytes())));
  }

  @Test
  void derivationCanBeGivenUp() {
    int[] asked = {0};
    KeyDerivation derivation = new KeyDerivation(HashAlgorithm.SHA256, () -> ++asked[0] > 3);
    assertThrows(
        CancellationException.class,
        () -> derivation.derive(new byte[3], new byte[32], 0xffff_ffffL, 64));
    assertEquals(4, asked[0]);
  }

  @Test
  void keysAreSpread() {
    for (HashAlgorithm hash : HashAlgorithm.values()) {
      byte[] key = bytes(64);
      AntiForensicSplit split = new AntiForensicSplit(hash, 4000);
      byte[] stripes = split.split(key, random);
      assertArrayEquals(key, split.merge(stripes), hash.text());
      stripes[random.nextInt(stripes.length - 64)] ^= 1;
      byte[] other = split.merge(stripes);
      assertEquals(false, Arrays.equals(key, other), hash.text());
    }
  }
}
