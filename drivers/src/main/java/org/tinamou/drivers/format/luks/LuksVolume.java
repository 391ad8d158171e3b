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
import org.tinamou.drivers.crypto.KeyDerivation;
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
  }

  private static final String WRONG_PASSWORD = "Invalid password, cannot unlock any keyslot";

  private final Area area;
  private final LuksCipher cipher;
  private final byte[] key;
  private final SectorCipher sectors;
  private volatile LuksHeader header;

  private LuksVolume(Area area, LuksHeader header, LuksCipher cipher, byte[] key) {
    this.area = area;
    this.header = header;
    this.cipher = cipher;
    this.key = key;
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
    return header;
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
    long material = LuksHeader.materialSectors(cipher.sectors().keyBytes());
    long unit = LuksHeader.ALIGNMENT_SECTORS;
    return (material + unit - 1) / unit * unit;
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
    byte[] salt = salt(work.random());
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

  private static byte[] salt(RandomGenerator random) {
    byte[] salt = new byte[LuksHeader.SALT_BYTES];
    random.nextBytes(salt);
    return salt;
  }

  private static String uuid(RandomGenerator random) {
    long high = random.nextLong() & ~0xf000L | 0x4000L;
    long low = random.nextLong() & ~(3L << 62) | 1L << 63;
    return new UUID(high, low).toString();
  }

  /**
   * Puts the volume's key into a slot that is free, or is to get another password. At each moment
   * the old or the new one opens it, unless all slots are taken and their key has to be replaced
   * where it is.
   */
  @InCoroutine
  void addKey(int index, byte[] password, long iterationMillis, KeyWork work)
      throws BlockException {
    KeySlot before = header.slots().get(index);
    byte[] salt = salt(work.random());
    SlotKey made =
        work.run(
            cipher.hash(),
            derivation -> slotKey(derivation, password, salt, iterationMillis, work));
    int spare = before.active() ? firstFree() : -1;
    if (spare >= 0) {
      fill(spare, made, salt);
    }
    fill(index, made, salt);
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

  private void fill(int index, SlotKey made, byte[] salt) throws BlockException {
    KeySlot slot = header.slots().get(index);
    area.write(slot.firstSector() * LuksHeader.SECTOR_BYTES, made.material());
    area.flush();
    writeHeader(header.with(index, slot.with(made.iterations(), salt)));
  }

  private record SlotKey(long iterations, byte[] material) {}

  private SlotKey slotKey(
      KeyDerivation derivation, byte[] password, byte[] salt, long millis, KeyWork work)
      throws BlockException {
    long iterations = work.iterations(derivation, key.length, millis, 1);
    byte[] slotKey = derivation.derive(password, salt, iterations, key.length);
    byte[] stripes =
        new AntiForensicSplit(cipher.hash(), LuksHeader.STRIPES).split(key, work.random());
    return new SlotKey(
        iterations, SectorBytes.encrypt(new SectorCipher(cipher.sectors(), slotKey), stripes));
  }

  /** Whether a slot has been given that password. */
  @InCoroutine
  boolean opens(int index, byte[] password, KeyWork work) throws BlockException {
    return keyIn(area, header, cipher, index, password, work) != null;
  }

  /** Forgets what is in a slot: what a power cut leaves of it opens nothing. */
  @InCoroutine
  void eraseKey(int index, RandomGenerator random) throws BlockException {
    KeySlot slot = header.slots().get(index);
    writeHeader(header.with(index, slot.erased()));
    byte[] noise = new byte[key.length * LuksHeader.STRIPES];
    random.nextBytes(noise);
    area.write(slot.firstSector() * LuksHeader.SECTOR_BYTES, noise);
    area.flush();
  }

  private void writeHeader(LuksHeader changed) throws BlockException {
    area.write(0, changed.serialise());
    area.flush();
    header = changed;
  }
}
