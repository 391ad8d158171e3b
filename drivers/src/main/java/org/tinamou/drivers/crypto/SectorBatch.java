package org.tinamou.drivers.crypto;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Some sectors at a time: one call of the block cipher for all their blocks, since only many at a
 * time are fast. For one thread at a time.
 */
final class SectorBatch {
  static final int BYTES = 16 << 10;

  private static final int SECTORS = BYTES / SectorCipher.SECTOR_BYTES;
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** What is added when a tweak runs over. */
  private static final long POLYNOMIAL = 0x87;

  private static final long LOW_32 = 0xffff_ffffL;

  private final SectorCipher.Spec spec;
  private final int blockBytes;
  private final BlockCrypt blocks;
  private final @Nullable BlockCrypt tweaking;
  private final @Nullable BlockCrypt hiding;
  private final byte[] in = new byte[BYTES];
  private final byte[] out = new byte[BYTES];
  private final long[] tweaks;
  private byte[] ivs;
  private byte[] otherIvs;

  SectorBatch(SectorCipher.Spec spec, byte[] key) {
    this.spec = spec;
    int keyBytes = spec.algorithm().keyBytes();
    boolean xts = spec.mode() == CipherMode.XTS;
    this.blockBytes = spec.algorithm().blockBytes();
    this.blocks = BlockCrypt.of(spec.algorithm(), Arrays.copyOf(key, keyBytes));
    this.tweaking =
        xts
            ? BlockCrypt.of(spec.algorithm(), Arrays.copyOfRange(key, keyBytes, 2 * keyBytes))
            : null;
    this.tweaks = new long[xts ? BYTES / Long.BYTES : 0];
    this.hiding = spec.ivAlgorithm() == IvAlgorithm.ESSIV ? hiding(spec, key) : null;
    this.ivs = new byte[SECTORS * blockBytes];
    this.otherIvs = new byte[SECTORS * blockBytes];
  }

  private static BlockCrypt hiding(SectorCipher.Spec spec, byte[] key) {
    HashAlgorithm hash = Objects.requireNonNull(spec.ivHash());
    return BlockCrypt.of(Objects.requireNonNull(spec.ivCipher()), hash.hash(key));
  }

  /** Encrypts or decrypts at most {@value #BYTES} bytes, which may stay in place. */
  void run(MemorySegment from, MemorySegment to, long firstSector, boolean encrypting) {
    int length = (int) from.byteSize();
    int sectors = length / SectorCipher.SECTOR_BYTES;
    switch (spec.mode()) {
      case ECB -> {
        load(from, length);
        crypt(length, encrypting);
        store(to, length);
      }
      case XTS -> {
        makeTweaks(firstSector, sectors);
        for (int i = 0, at = 0; at < length; i++, at += Long.BYTES) {
          LONGS.set(in, at, from.get(LONG, at) ^ tweaks[i]);
        }
        crypt(length, encrypting);
        for (int i = 0, at = 0; at < length; i++, at += Long.BYTES) {
          to.set(LONG, at, (long) LONGS.get(out, at) ^ tweaks[i]);
        }
      }
      case CBC -> {
        makeIvs(firstSector, sectors);
        load(from, length);
        if (encrypting) {
          chain(sectors);
        } else {
          unchain(length);
        }
        store(to, length);
      }
      case CTR -> {
        makeIvs(firstSector, sectors);
        makeCounters(length);
        blocks.encrypt(in, out, length);
        for (int at = 0; at < length; at += Long.BYTES) {
          to.set(LONG, at, (long) LONGS.get(out, at) ^ from.get(LONG, at));
        }
      }
    }
  }

  private void load(MemorySegment from, int length) {
    MemorySegment.copy(from, ValueLayout.JAVA_BYTE, 0, in, 0, length);
  }

  private void store(MemorySegment to, int length) {
    MemorySegment.copy(out, 0, to, ValueLayout.JAVA_BYTE, 0, length);
  }

  private void crypt(int length, boolean encrypting) {
    if (encrypting) {
      blocks.encrypt(in, out, length);
    } else {
      blocks.decrypt(in, out, length);
    }
  }

  private void makeIvs(long firstSector, int sectors) {
    Arrays.fill(ivs, (byte) 0);
    for (int i = 0; i < sectors; i++) {
      long sector = firstSector + i;
      LONGS.set(
          ivs, i * blockBytes, spec.ivAlgorithm() == IvAlgorithm.PLAIN ? sector & LOW_32 : sector);
    }
    if (hiding != null) {
      encryptIvs(hiding, sectors);
    }
  }

  private void encryptIvs(BlockCrypt cipher, int sectors) {
    cipher.encrypt(ivs, otherIvs, sectors * blockBytes);
    byte[] encrypted = otherIvs;
    otherIvs = ivs;
    ivs = encrypted;
  }

  private void makeTweaks(long firstSector, int sectors) {
    makeIvs(firstSector, sectors);
    encryptIvs(Objects.requireNonNull(tweaking), sectors);
    int perSector = SectorCipher.SECTOR_BYTES / Long.BYTES;
    for (int sector = 0; sector < sectors; sector++) {
      long low = (long) LONGS.get(ivs, sector * blockBytes);
      long high = (long) LONGS.get(ivs, sector * blockBytes + Long.BYTES);
      int end = (sector + 1) * perSector;
      for (int i = sector * perSector; i < end; i += 2) {
        tweaks[i] = low;
        tweaks[i + 1] = high;
        long carry = (high >> 63) & POLYNOMIAL;
        high = high << 1 | low >>> 63;
        low = low << 1 ^ carry;
      }
    }
  }

  /** All sectors' first blocks together, then their second ones: each needs the one before it. */
  private void chain(int sectors) {
    byte[] before = Arrays.copyOf(ivs, sectors * blockBytes);
    byte[] mixed = new byte[before.length];
    for (int block = 0; block < SectorCipher.SECTOR_BYTES; block += blockBytes) {
      for (int sector = 0; sector < sectors; sector++) {
        int at = sector * SectorCipher.SECTOR_BYTES + block;
        for (int i = 0; i < blockBytes; i += Long.BYTES) {
          int place = sector * blockBytes + i;
          LONGS.set(mixed, place, (long) LONGS.get(in, at + i) ^ (long) LONGS.get(before, place));
        }
      }
      blocks.encrypt(mixed, before, before.length);
      for (int sector = 0; sector < sectors; sector++) {
        int at = sector * SectorCipher.SECTOR_BYTES + block;
        System.arraycopy(before, sector * blockBytes, out, at, blockBytes);
      }
    }
  }

  private void unchain(int length) {
    blocks.decrypt(in, out, length);
    for (int at = 0; at < length; at += Long.BYTES) {
      int inSector = at % SectorCipher.SECTOR_BYTES;
      long before =
          inSector < blockBytes
              ? (long) LONGS.get(ivs, at / SectorCipher.SECTOR_BYTES * blockBytes + inSector)
              : (long) LONGS.get(in, at - blockBytes);
      LONGS.set(out, at, (long) LONGS.get(out, at) ^ before);
    }
  }

  /** Counts up, as one large number with its last byte the lowest. */
  private void makeCounters(int length) {
    for (int at = 0; at < length; at += blockBytes) {
      if (at % SectorCipher.SECTOR_BYTES == 0) {
        System.arraycopy(ivs, at / SectorCipher.SECTOR_BYTES * blockBytes, in, at, blockBytes);
        continue;
      }
      System.arraycopy(in, at - blockBytes, in, at, blockBytes);
      int place = at + blockBytes - 1;
      while (place >= at && ++in[place] == 0) {
        place--;
      }
    }
  }
}
