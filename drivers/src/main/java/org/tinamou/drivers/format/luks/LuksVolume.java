package org.tinamou.drivers.format.luks;

import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.Parsed;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.crypto.AntiForensicSplit;
import org.tinamou.drivers.crypto.SectorCipher;
import org.tinamou.drivers.format.luks.LuksHeader.KeySlot;

/** A volume whose key is known. Its header changes only while nobody else uses it. */
public final class LuksVolume {
  /** Where header and key slots are. */
  public interface Area {
    /** Reads bytes; zeroes stand for what is not there. */
    @InCoroutine
    byte[] read(long offsetBytes, int length) throws BlockException;

    @InCoroutine
    void write(long offsetBytes, byte[] bytes) throws BlockException;

    /** What was written is on the disk when this returns. */
    @InCoroutine
    void flush() throws BlockException;

    /** Header and key slots may take so many bytes. */
    @InCoroutine
    long roomBytes() throws BlockException;
  }

  private static final String WRONG_PASSWORD = "Invalid password, cannot unlock any keyslot";

  private final Area area;
  private final LuksCipher cipher;
  private final SectorCipher sectors;
  private final KeySlots keySlots;

  private LuksVolume(Area area, LuksHeader header, LuksCipher cipher, byte[] key) {
    this.area = area;
    this.cipher = cipher;
    this.keySlots = new KeySlots(area, cipher, key, header);
    this.sectors = new SectorCipher(cipher.sectors(), key);
  }

  /**
   * Reads and checks a header.
   *
   * @param detached whether the data is somewhere else
   */
  @InCoroutine
  public static LuksHeader readHeader(Area area, boolean detached) throws BlockException {
    return checked(LuksHeader.parse(area.read(0, LuksHeader.BYTES), detached));
  }

  /** A header that was read, or what is wrong with it. */
  static LuksHeader checked(Parsed<LuksHeader> parsed) throws BlockException {
    // No switch over types: it takes long to link.
    if (parsed instanceof Parsed.Value<LuksHeader> value) {
      LuksCipher.of(value.value());
      return value.value();
    }
    throw new BlockException(Errno.EINVAL, ((Parsed.Malformed<LuksHeader>) parsed).message());
  }

  @AnyThread
  public LuksHeader header() {
    return keySlots.header();
  }

  /** What encrypts its sectors. */
  @AnyThread
  public SectorCipher sectors() {
    return sectors;
  }

  /**
   * Finds a volume's key.
   *
   * @throws BlockException if no slot has been given that password
   */
  @InCoroutine
  public static LuksVolume unlock(Area area, LuksHeader header, byte[] password, KeyWork work)
      throws BlockException {
    LuksCipher cipher = LuksCipher.of(header);
    cipher.requireUsable();
    if (header.keyBytes() != cipher.sectors().keyBytes()) {
      throw new BlockException(
          Errno.EINVAL, "XTS cipher key length should be a multiple of 2"); // the only way
    }
    long iterations = Integer.toUnsignedLong(header.digestIterations());
    for (KeySlot slot : header.slots()) {
      iterations += slot.active() ? Integer.toUnsignedLong(slot.iterations()) : 0;
    }
    work.checkLimit(iterations);
    for (int i = 0; i < LuksHeader.SLOTS; i++) {
      byte[] found = keyIn(area, header, cipher, i, password, work);
      if (found != null) {
        return new LuksVolume(area, header, cipher, found);
      }
    }
    throw new BlockException(Errno.EINVAL, WRONG_PASSWORD);
  }

  /** The key in a slot, or null if the slot is empty or the password is not that one's. */
  private static byte @Nullable [] keyIn(
      Area area, LuksHeader header, LuksCipher cipher, int index, byte[] password, KeyWork work)
      throws BlockException {
    KeySlot slot = header.slots().get(index);
    if (!slot.active()) {
      return null;
    }
    int keyBytes = cipher.sectors().keyBytes();
    byte[] material =
        area.read(slot.firstSector() * LuksHeader.SECTOR_BYTES, keyBytes * LuksHeader.STRIPES);
    return work.<byte @Nullable []>run(
        cipher.hash(),
        derivation -> {
          byte[] slotKey =
              derivation.derive(
                  password, slot.salt(), Integer.toUnsignedLong(slot.iterations()), keyBytes);
          byte[] plain = SectorBytes.decrypt(new SectorCipher(cipher.sectors(), slotKey), material);
          byte[] key = new AntiForensicSplit(cipher.hash(), LuksHeader.STRIPES).merge(plain);
          byte[] digest =
              derivation.derive(
                  key,
                  header.digestSalt(),
                  Integer.toUnsignedLong(header.digestIterations()),
                  LuksHeader.DIGEST_BYTES);
          return MessageDigest.isEqual(digest, header.digest()) ? key : null;
        });
  }

  /** What a header takes with all its key slots, in sectors. */
  @AnyThread
  public static long headerSectors(LuksRequest request) {
    return LuksHeader.ALIGNMENT_SECTORS + LuksHeader.SLOTS * slotSectors(request.cipher());
  }

  private static long slotSectors(LuksCipher cipher) {
    return LuksHeader.slotSectors(cipher.sectors().keyBytes());
  }

  /**
   * Makes a volume with a new key.
   *
   * @param area empty
   * @param detached whether the data will be somewhere else
   */
  @InCoroutine
  public static LuksVolume create(
      Area area, LuksRequest request, byte[] password, boolean detached, KeyWork work)
      throws BlockException {
    LuksCipher cipher = request.cipher();
    byte[] key = new byte[cipher.sectors().keyBytes()];
    work.random().nextBytes(key);
    byte[] salt = KeySlots.salt(work.random());
    LuksHeader empty =
        work.run(
            cipher.hash(),
            derivation -> {
              long iterations =
                  work.iterations(
                      derivation, LuksHeader.DIGEST_BYTES, request.iterationMillis(), Byte.SIZE);
              byte[] digest = derivation.derive(key, salt, iterations, LuksHeader.DIGEST_BYTES);
              return new LuksHeader(
                  cipher.sectors().algorithm().family(),
                  cipher.modeText(),
                  cipher.hash().text(),
                  detached ? 0 : headerSectors(request),
                  key.length,
                  digest,
                  salt,
                  (int) iterations,
                  uuid(work.random()),
                  emptySlots(cipher));
            });
    LuksVolume volume = new LuksVolume(area, empty, cipher, key);
    area.write(0, empty.serialise());
    volume.addKey(0, password, request.iterationMillis(), work);
    return volume;
  }

  private static List<KeySlot> emptySlots(LuksCipher cipher) {
    List<KeySlot> slots = new ArrayList<>();
    for (int i = 0; i < LuksHeader.SLOTS; i++) {
      long sector = LuksHeader.ALIGNMENT_SECTORS + i * slotSectors(cipher);
      slots.add(new KeySlot(false, 0, new byte[LuksHeader.SALT_BYTES], sector, LuksHeader.STRIPES));
    }
    return slots;
  }

  private static String uuid(RandomGenerator random) {
    long high = random.nextLong() & ~0xf000L | 0x4000L;
    long low = random.nextLong() & ~(3L << 62) | 1L << 63;
    return new UUID(high, low).toString();
  }

  /** See {@link KeySlots#addKey}. */
  @InCoroutine
  void addKey(int index, byte[] password, long iterationMillis, KeyWork work)
      throws BlockException {
    keySlots.addKey(index, password, iterationMillis, work);
  }

  /** Whether a slot has been given that password. */
  @InCoroutine
  boolean opens(int index, byte[] password, KeyWork work) throws BlockException {
    return keyIn(area, header(), cipher, index, password, work) != null;
  }

  /** Forgets what is in a slot: what a power cut leaves of it opens nothing. */
  @InCoroutine
  void eraseKey(int index, RandomGenerator random) throws BlockException {
    keySlots.eraseKey(index, random);
  }
}
