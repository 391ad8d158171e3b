package org.tinamou.drivers.format.luks;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.crypto.AntiForensicSplit;
import org.tinamou.drivers.crypto.KeyDerivation;
import org.tinamou.drivers.crypto.SectorCipher;
import org.tinamou.drivers.format.luks.LuksHeader.KeySlot;

/**
 * Changes the key slots of a volume. A power cut at any moment leaves only slots in use that can be
 * opened, each by the password that it had or by the one that it is to have; what has been erased
 * opens nothing. What a cut can lose all the same is told at {@link #addKey}.
 */
final class KeySlots {
  private final LuksVolume.Area area;
  private final LuksCipher cipher;
  private final byte[] key;
  private final int materialBytes;
  private volatile LuksHeader header;

  KeySlots(LuksVolume.Area area, LuksCipher cipher, byte[] key, LuksHeader header) {
    this.area = area;
    this.cipher = cipher;
    this.key = key;
    this.materialBytes = key.length * LuksHeader.STRIPES;
    this.header = header;
  }

  LuksHeader header() {
    return header;
  }

  static byte[] salt(RandomGenerator random) {
    byte[] salt = new byte[LuksHeader.SALT_BYTES];
    random.nextBytes(salt);
    return salt;
  }

  private byte[] noise(int length, RandomGenerator random) {
    byte[] noise = new byte[length];
    random.nextBytes(noise);
    return noise;
  }

  private static long bytes(long sectors) {
    return sectors * LuksHeader.SECTOR_BYTES;
  }

  /**
   * Puts the volume's key into a slot that is free, or is to get another password. At each moment
   * the old or the new one opens it: meanwhile a free slot has the new one, or, if all are taken,
   * the new key's material goes where no other is. Where there is no such place either the key has
   * to be replaced where it is, and then a power cut may lose it. The same is true for the one slot
   * whose record lies in two sectors if all are taken, the new password is to take more iterations
   * than the old one, and a power cut leaves half of a write.
   */
  @InCoroutine
  void addKey(int index, byte[] password, long iterationMillis, KeyWork work)
      throws BlockException {
    KeySlot before = header.slots().get(index);
    int spare = before.active() ? firstFree() : -1;
    long place = before.active() && spare < 0 ? placeForAnother() : -1;
    SlotKey made =
        work.run(
            cipher.hash(),
            derivation -> {
              long iterations = work.iterations(derivation, key.length, iterationMillis, 1);
              SlotRecord fields = new SlotRecord(iterations, salt(work.random()));
              fields = place < 0 ? fields : fields.inOneSector(index, before);
              return slotKey(derivation, password, fields, work.random());
            });
    if (place >= 0) {
      exchange(index, place, made, work.random());
      return;
    }
    if (spare >= 0) {
      fill(spare, made);
    }
    fill(index, made);
    if (spare >= 0) {
      eraseKey(spare, work.random());
    }
  }

  private int firstFree() {
    for (int i = 0; i < LuksHeader.SLOTS; i++) {
      if (!header.slots().get(i).active()) {
        return i;
      }
    }
    return -1;
  }

  private long placeForAnother() throws BlockException {
    return new SlotPlaces(header, area.roomBytes() / LuksHeader.SECTOR_BYTES).another();
  }

  /** What a slot's record says of its password. */
  private record SlotRecord(long iterations, byte[] salt) {
    /**
     * The same as far as only one sector of the record differs from an earlier one, where its place
     * differs, too. A password never gets fewer iterations for that.
     */
    SlotRecord inOneSector(int index, KeySlot before) {
      long earlier = Integer.toUnsignedLong(before.iterations());
      int first = LuksHeader.saltBytesInFirstSector(index);
      if (first == LuksHeader.SALT_BYTES || iterations > earlier) {
        return this;
      }
      byte[] mixed = salt.clone();
      System.arraycopy(before.salt(), 0, mixed, 0, first);
      return new SlotRecord(earlier, mixed);
    }
  }

  private record SlotKey(SlotRecord fields, byte[] material) {
    KeySlot in(KeySlot slot, long place) {
      return slot.with(fields.iterations(), fields.salt(), place);
    }
  }

  private SlotKey slotKey(
      KeyDerivation derivation, byte[] password, SlotRecord fields, RandomGenerator random) {
    byte[] slotKey = derivation.derive(password, fields.salt(), fields.iterations(), key.length);
    byte[] stripes = new AntiForensicSplit(cipher.hash(), LuksHeader.STRIPES).split(key, random);
    return new SlotKey(
        fields, SectorBytes.encrypt(new SectorCipher(cipher.sectors(), slotKey), stripes));
  }

  /** What is in a slot is not looked at while it changes. */
  private void fill(int index, SlotKey made) throws BlockException {
    KeySlot slot = header.slots().get(index);
    if (slot.active()) {
      changeSlot(index, slot.inactive());
    }
    area.write(bytes(slot.firstSector()), made.material());
    area.flush();
    changeSlot(index, made.in(slot, slot.firstSector()));
  }

  /** The header's write is what makes one password of the other. */
  private void exchange(int index, long place, SlotKey made, RandomGenerator random)
      throws BlockException {
    KeySlot before = header.slots().get(index);
    area.write(bytes(place), made.material());
    area.flush();
    writeHeader(header.with(index, made.in(before, place)));
    area.write(bytes(before.firstSector()), noise(materialBytes, random));
    area.flush();
  }

  /** Forgets what is in a slot: what a power cut leaves of it opens nothing. */
  @InCoroutine
  void eraseKey(int index, RandomGenerator random) throws BlockException {
    KeySlot slot = header.slots().get(index);
    changeSlot(index, slot.erased());
    area.write(bytes(slot.firstSector()), noise(materialBytes, random));
    area.flush();
  }

  /** A record in two sectors, both of which change, changes while it is not looked at. */
  private void changeSlot(int index, KeySlot slot) throws BlockException {
    LuksHeader after = header.with(index, slot);
    if (isChangedInTwoSectors(header.serialise(), after.serialise())) {
      KeySlot now = header.slots().get(index);
      if (now.active()) {
        writeHeader(header.with(index, now.inactive()));
      }
      writeHeader(header.with(index, slot.inactive()));
    }
    if (!Arrays.equals(header.serialise(), after.serialise())) {
      writeHeader(after);
    }
  }

  private static boolean isChangedInTwoSectors(byte[] now, byte[] wanted) {
    int end = LuksHeader.SECTOR_BYTES;
    return Arrays.mismatch(now, 0, end, wanted, 0, end) >= 0
        && Arrays.mismatch(now, end, now.length, wanted, end, wanted.length) >= 0;
  }

  private void writeHeader(LuksHeader changed) throws BlockException {
    area.write(0, changed.serialise());
    area.flush();
    header = changed;
  }
}
