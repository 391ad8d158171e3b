package org.tinamou.drivers.format.luks;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Parsed;

/**
 * What stands at the beginning of a volume. What comes out of {@link #parse} lies within the
 * format's limits.
 *
 * @param cipherName the family of the cipher
 * @param cipherMode the mode and how sector numbers are used
 * @param hashName what keys are derived and spread with
 * @param payloadSector where the encrypted data begins
 * @param keyBytes the length of the volume's key
 * @param digest of the volume's key
 * @param digestIterations unsigned, not 0
 * @param slots eight of them
 */
public record LuksHeader(
    String cipherName,
    String cipherMode,
    String hashName,
    long payloadSector,
    long keyBytes,
    byte[] digest,
    byte[] digestSalt,
    int digestIterations,
    String uuid,
    List<KeySlot> slots) {
  public static final int SLOTS = 8;
  public static final int STRIPES = 4000;

  /** What is read and written of it. */
  public static final int BYTES = 592;

  static final int SECTOR_BYTES = 512;
  static final int SALT_BYTES = 32;
  static final int DIGEST_BYTES = 20;

  /** What key slots, and what follows them, are aligned to. */
  static final int ALIGNMENT_SECTORS = 8;

  static final int MAX_NAME_BYTES = 31;
  private static final int NAME_BYTES = 32;
  private static final int UUID_BYTES = 40;
  private static final int SLOTS_OFFSET = 208;
  private static final int SLOT_BYTES = 48;
  private static final int ENABLED = 0x00AC71F3;
  private static final int DISABLED = 0x0000DEAD;
  private static final byte[] MAGIC = {'L', 'U', 'K', 'S', (byte) 0xba, (byte) 0xbe};

  /**
   * A place for the volume's key, encrypted by one password.
   *
   * @param iterations unsigned; not 0 where it is active
   * @param firstSector where its material is
   */
  public record KeySlot(
      boolean active, int iterations, byte[] salt, long firstSector, int stripes) {
    /** The same without a key. */
    KeySlot erased() {
      return new KeySlot(false, 0, new byte[SALT_BYTES], firstSector, STRIPES);
    }

    KeySlot with(long newIterations, byte[] newSalt, long newSector) {
      return new KeySlot(true, (int) newIterations, newSalt, newSector, STRIPES);
    }

    /** The same, which nobody looks at. */
    KeySlot inactive() {
      return new KeySlot(false, iterations, salt, firstSector, stripes);
    }
  }

  /** What one slot takes: nothing else may be in the last of its units. */
  static long slotSectors(long keyBytes) {
    long material = (keyBytes * STRIPES + SECTOR_BYTES - 1) / SECTOR_BYTES;
    return aligned(material);
  }

  /** The next sector where a slot may begin. */
  static long aligned(long sector) {
    return (sector + ALIGNMENT_SECTORS - 1) / ALIGNMENT_SECTORS * ALIGNMENT_SECTORS;
  }

  /**
   * How much of a slot's salt is in the sector where its record begins; the whole of it unless the
   * record lies in two sectors.
   */
  static int saltBytesInFirstSector(int slot) {
    int start = SLOTS_OFFSET + slot * SLOT_BYTES;
    int end = (start / SECTOR_BYTES + 1) * SECTOR_BYTES;
    return Math.min(SALT_BYTES, end - (start + 2 * Integer.BYTES));
  }

  /** The same with one slot changed. */
  LuksHeader with(int slot, KeySlot changed) {
    List<KeySlot> all = new ArrayList<>(slots);
    all.set(slot, changed);
    return new LuksHeader(
        cipherName,
        cipherMode,
        hashName,
        payloadSector,
        keyBytes,
        digest,
        digestSalt,
        digestIterations,
        uuid,
        List.copyOf(all));
  }

  /** The bytes of the header. */
  @AnyThread
  byte[] serialise() {
    ByteBuffer out = ByteBuffer.allocate(BYTES);
    out.put(MAGIC).putShort((short) 1);
    put(out, 8, cipherName);
    put(out, 40, cipherMode);
    put(out, 72, hashName);
    out.putInt(104, (int) payloadSector).putInt(108, (int) keyBytes);
    out.put(112, digest).put(132, digestSalt).putInt(164, digestIterations);
    put(out, 168, uuid);
    for (int i = 0; i < SLOTS; i++) {
      KeySlot slot = slots.get(i);
      int at = SLOTS_OFFSET + i * SLOT_BYTES;
      out.putInt(at, slot.active() ? ENABLED : DISABLED).putInt(at + 4, slot.iterations());
      out.put(at + 8, slot.salt());
      out.putInt(at + 40, (int) slot.firstSector()).putInt(at + 44, slot.stripes());
    }
    return out.array();
  }

  private static void put(ByteBuffer out, int offset, String text) {
    out.put(offset, text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Reads and checks a header.
   *
   * @param bytes {@value #BYTES} of them
   * @param detached whether the data is somewhere else, so that it may begin anywhere
   */
  @AnyThread
  public static Parsed<LuksHeader> parse(byte[] bytes, boolean detached) {
    try {
      return new Parsed.Value<>(new Parser(ByteBuffer.wrap(bytes)).parse(detached));
    } catch (Refusal refusal) {
      return new Parsed.Malformed<>(refusal.field, refusal.text);
    }
  }

  @SuppressWarnings("serial") // thrown and caught in this file
  private static final class Refusal extends Exception {
    final String field;
    final String text;

    Refusal(String field, String text) {
      super(text, null, false, false);
      this.field = field;
      this.text = text;
    }
  }

  private static final class Parser {
    private final ByteBuffer bytes;

    Parser(ByteBuffer bytes) {
      this.bytes = bytes;
    }

    private static void require(boolean condition, String field, String text) throws Refusal {
      if (!condition) {
        throw new Refusal(field, text);
      }
    }

    LuksHeader parse(boolean detached) throws Refusal {
      byte[] magic = get(0, MAGIC.length);
      require(Arrays.equals(magic, MAGIC), "magic", "Volume is not in LUKS format");
      int version = bytes.getShort(6) & 0xffff;
      require(version == 1, "version", "LUKS version " + version + " is not supported");
      String cipherName = name(8, "cipher name");
      String cipherMode = name(40, "cipher mode");
      String hashName = name(72, "hash spec");
      long payload = Integer.toUnsignedLong(bytes.getInt(104));
      long keyBytes = Integer.toUnsignedLong(bytes.getInt(108));
      long headerSectors = (BYTES + SECTOR_BYTES - 1) / SECTOR_BYTES;
      require(
          detached || payload >= headerSectors,
          "payload_offset",
          "LUKS payload is overlapping with the header");
      int digestIterations = bytes.getInt(164);
      require(digestIterations != 0, "mk_digest_iter", "LUKS key iteration count is zero");
      List<KeySlot> slots = new ArrayList<>();
      for (int i = 0; i < SLOTS; i++) {
        slots.add(slot(i));
      }
      checkPlaces(slots, slotSectors(keyBytes), headerSectors, detached ? -1 : payload);
      return new LuksHeader(
          cipherName,
          cipherMode,
          hashName,
          payload,
          keyBytes,
          get(112, DIGEST_BYTES),
          get(132, SALT_BYTES),
          digestIterations,
          text(168, UUID_BYTES),
          List.copyOf(slots));
    }

    private KeySlot slot(int index) {
      int at = SLOTS_OFFSET + index * SLOT_BYTES;
      return new KeySlot(
          bytes.getInt(at) == ENABLED,
          bytes.getInt(at + 4),
          get(at + 8, SALT_BYTES),
          Integer.toUnsignedLong(bytes.getInt(at + 40)),
          bytes.getInt(at + 44));
    }

    /** Each slot by itself, and then against those that follow it. */
    private void checkPlaces(List<KeySlot> slots, long length, long headerSectors, long payload)
        throws Refusal {
      for (int i = 0; i < SLOTS; i++) {
        KeySlot slot = slots.get(i);
        String name = "Keyslot " + i;
        require(
            slot.stripes() == STRIPES,
            "stripes",
            name + " is corrupted (stripes " + slot.stripes() + " != " + STRIPES + ")");
        long start = slot.firstSector();
        require(
            start >= headerSectors,
            "key_material_offset",
            name + " is overlapping with the LUKS header");
        int state = bytes.getInt(SLOTS_OFFSET + i * SLOT_BYTES);
        require(
            state == ENABLED || state == DISABLED,
            "active",
            name + " state (active/disable) is corrupted");
        require(
            !slot.active() || slot.iterations() != 0,
            "iterations",
            name + " iteration count is zero");
        require(
            payload < 0 || start + length <= payload,
            "key_material_offset",
            name + " is overlapping with the encrypted payload");
        for (int other = i + 1; other < SLOTS; other++) {
          long otherStart = slots.get(other).firstSector();
          require(
              start + length <= otherStart || otherStart + length <= start,
              "key_material_offset",
              "Keyslots " + i + " and " + other + " are overlapping in the header");
        }
      }
    }

    private byte[] get(int offset, int length) {
      byte[] result = new byte[length];
      bytes.get(offset, result);
      return result;
    }

    private String name(int offset, String what) throws Refusal {
      require(
          bytes.get(offset + NAME_BYTES - 1) == 0 || text(offset, NAME_BYTES).length() < NAME_BYTES,
          what,
          "LUKS header " + what + " is not NUL terminated");
      return text(offset, NAME_BYTES);
    }

    private String text(int offset, int most) {
      int length = 0;
      while (length < most && bytes.get(offset + length) != 0) {
        length++;
      }
      return new String(get(offset, length), StandardCharsets.UTF_8);
    }
  }
}
