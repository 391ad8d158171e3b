package org.tinamou.drivers.format.luks;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.drivers.crypto.SectorCipher;

/** Encrypts bytes of the heap as sectors from number 0 on; the last may be a part of one. */
final class SectorBytes {
  private SectorBytes() {}

  static byte[] encrypt(SectorCipher cipher, byte[] bytes) {
    return run(cipher, bytes, true);
  }

  static byte[] decrypt(SectorCipher cipher, byte[] bytes) {
    return run(cipher, bytes, false);
  }

  private static byte[] run(SectorCipher cipher, byte[] bytes, boolean encrypting) {
    long whole =
        (bytes.length + SectorCipher.SECTOR_BYTES - 1L)
            / SectorCipher.SECTOR_BYTES
            * SectorCipher.SECTOR_BYTES;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(whole);
      MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
      if (encrypting) {
        cipher.encrypt(memory, memory, 0);
      } else {
        cipher.decrypt(memory, memory, 0);
      }
      byte[] result = memory.asSlice(0, bytes.length).toArray(ValueLayout.JAVA_BYTE);
      memory.fill((byte) 0);
      return result;
    }
  }
}
