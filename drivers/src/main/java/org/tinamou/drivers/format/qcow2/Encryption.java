package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.drivers.EncryptedSectors;
import org.tinamou.drivers.crypto.CipherAlgorithm;
import org.tinamou.drivers.crypto.CipherMode;
import org.tinamou.drivers.crypto.IvAlgorithm;
import org.tinamou.drivers.crypto.SectorCipher;
import org.tinamou.drivers.format.luks.KeyWork;
import org.tinamou.drivers.format.luks.LuksCreator;
import org.tinamou.drivers.format.luks.LuksHeader;
import org.tinamou.drivers.format.luks.LuksKeyChange;
import org.tinamou.drivers.format.luks.LuksType;
import org.tinamou.drivers.format.luks.LuksVolume;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/**
 * How an image's clusters are encrypted. With LUKS a sector's number is that of its place in the
 * file, with the old AES that of its place in the disk.
 */
final class Encryption {
  static final int AES = 1;
  static final int LUKS = 2;
  static final String KEY = "encrypt.key-secret";
  private static final int AES_KEY_BYTES = 16;

  /** What a change of keys needs. */
  private record Keys(LuksVolume volume, ObjectRegistry objects, KeyWork work) {}

  private final @Nullable LuksHeader header;
  private final @Nullable Keys keys;
  private final @Nullable EncryptedSectors sectors;
  private final boolean byHostOffset;

  private Encryption(
      @Nullable LuksHeader header,
      @Nullable Keys keys,
      @Nullable EncryptedSectors sectors,
      boolean byHostOffset) {
    this.header = header;
    this.keys = keys;
    this.sectors = sectors;
    this.byHostOffset = byHostOffset;
  }

  /** The name of a method that headers number. */
  static String formatName(int method) {
    return method == LUKS ? "luks" : "aes";
  }

  /** Whether a node's options name a password, so that a plain name does not say it all. */
  static boolean isNamed(BlockNode node) {
    for (String option : node.origin().options().keySet()) {
      if (option.startsWith("encrypt.") || option.equals("encrypt")) {
        return true;
      }
    }
    return false;
  }

  /** What an image's header and options say; null if it is not encrypted. */
  static @Nullable Encryption open(
      NodeOpening opening,
      ObjectRegistry objects,
      KeyWork.Maker keys,
      Edge file,
      Qcow2Header header)
      throws BlockException, OptionException {
    OptionReader options = opening.options().objectOrNull("encrypt");
    String format = options == null ? null : options.stringOrNull("format");
    String secret = options == null ? null : options.stringOrNull("key-secret");
    Long limit = options == null ? null : options.uint64OrNull(LuksType.LIMIT);
    int method = header.encryption();
    if (method == 0) {
      if (format != null) {
        throw invalid(
            "No encryption in image header, but options specified format '" + format + "'");
      }
      return null;
    }
    if (format != null && !format.equals(formatName(method))) {
      throw invalid(
          "Header reported '"
              + formatName(method)
              + "' encryption format but options specify '"
              + format
              + "'");
    }
    // A check can do without, unless somebody has given a password.
    boolean given = opening.settings().forCheck() && secret != null;
    boolean wanted = given || opening.opensBacking() || !opening.node().isReadOnly();
    if (method == AES) {
      return wanted
          ? aes(LuksCreator.password(objects, KEY, secret))
          : new Encryption(null, null, null, false);
    }
    LuksType.EdgeArea area =
        new LuksType.EdgeArea(file, place(header).getLong(0), place(header).getLong(Long.BYTES));
    LuksHeader inner = LuksVolume.readHeader(area, false);
    if (!wanted) {
      return new Encryption(inner, null, null, true);
    }
    byte[] password = LuksCreator.password(objects, KEY, secret);
    KeyWork work = keys.make(opening.node().context(), limit);
    LuksVolume volume = LuksVolume.unlock(area, inner, password, work);
    return new Encryption(
        inner, new Keys(volume, objects, work), new EncryptedSectors(volume.sectors()), true);
  }

  private static Encryption aes(byte[] password) {
    SectorCipher.Spec spec =
        new SectorCipher.Spec(CipherAlgorithm.AES_128, CipherMode.CBC, IvAlgorithm.PLAIN64, null);
    SectorCipher cipher = new SectorCipher(spec, Arrays.copyOf(password, AES_KEY_BYTES));
    return new Encryption(null, null, new EncryptedSectors(cipher), false);
  }

  /** Where the header of the encryption is, and how long. */
  static ByteBuffer place(Qcow2Header header) throws BlockException {
    List<HeaderExtension> found =
        header.extensions().stream()
            .filter(extension -> extension.type() == HeaderExtension.ENCRYPTION)
            .toList();
    ByteBuffer place = ByteBuffer.wrap(found.getLast().data());
    int clusterBytes = header.geometry().clusterBytes();
    if (place.capacity() != 2 * Long.BYTES) {
      throw invalid(
          "CRYPTO header extension size "
              + place.capacity()
              + ", but expected size "
              + 2 * Long.BYTES);
    }
    if (place.getLong(0) < 0 || place.getLong(0) % clusterBytes != 0) {
      throw invalid(
          "Encryption header offset '"
              + Long.toUnsignedString(place.getLong(0))
              + "' is not a multiple of cluster size '"
              + clusterBytes
              + "'");
    }
    return place;
  }

  private static BlockException invalid(String message) {
    return new BlockException(Errno.EINVAL, message);
  }

  /** The header of the encryption, or null if it has none. */
  @Nullable LuksHeader luksHeader() {
    return keys == null ? header : keys.volume().header();
  }

  private EncryptedSectors sectors() {
    return java.util.Objects.requireNonNull(sectors, "opened without a key");
  }

  /** What was read becomes plain. */
  @InCoroutine
  void decrypt(IoVector data, long guest, long host) {
    sectors().decrypt(data, byHostOffset ? host : guest);
  }

  /** Writes data, which stays as it is, encrypted to one piece of a file. */
  @InCoroutine
  void write(Edge file, long guest, long host, IoVector data) throws BlockException {
    EncryptedSectors encryption = sectors();
    MemorySegment memory = encryption.take();
    try {
      for (long done = 0; done < data.sizeBytes(); done += EncryptedSectors.PIECE_BYTES) {
        long length = Math.min(EncryptedSectors.PIECE_BYTES, data.sizeBytes() - done);
        MemorySegment piece = memory.asSlice(0, length);
        encryption.encrypt(data.slice(done, length), piece, (byHostOffset ? host : guest) + done);
        file.write(host + done, IoVector.of(piece), RequestFlags.NONE);
      }
    } finally {
      encryption.give(memory);
    }
  }

  /** Whether the data can be read. */
  boolean hasKey() {
    return sectors != null;
  }

  /** Whether it matters for the data where in the disk it is. */
  boolean isByGuestOffset() {
    return !byHostOffset;
  }

  /** Makes the bytes of a cluster of data plain. */
  @InCoroutine
  void decrypt(byte[] cluster, long guest, long host) {
    long start = byHostOffset ? host : guest;
    inPieces(
        cluster, (encryption, piece, done) -> encryption.decrypt(IoVector.of(piece), start + done));
  }

  /** Makes the bytes of a cluster of data what they have to be at another place in the file. */
  @InCoroutine
  void move(byte[] cluster, long fromHost, long toHost) {
    if (!byHostOffset) {
      return;
    }
    inPieces(
        cluster,
        (encryption, piece, done) -> {
          encryption.decrypt(IoVector.of(piece), fromHost + done);
          encryption.encrypt(IoVector.of(piece), piece, toHost + done);
        });
  }

  /** What is done with a piece of a cluster, which begins so many bytes in it. */
  @FunctionalInterface
  private interface PieceWork {
    void run(EncryptedSectors encryption, MemorySegment piece, int doneBytes);
  }

  private void inPieces(byte[] cluster, PieceWork work) {
    EncryptedSectors encryption = sectors();
    MemorySegment memory = encryption.take();
    try {
      for (int done = 0; done < cluster.length; done += EncryptedSectors.PIECE_BYTES) {
        int length = Math.min(EncryptedSectors.PIECE_BYTES, cluster.length - done);
        MemorySegment piece = memory.asSlice(0, length);
        MemorySegment.copy(cluster, done, piece, ValueLayout.JAVA_BYTE, 0, length);
        work.run(encryption, piece, done);
        MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, 0, cluster, done, length);
      }
    } finally {
      encryption.give(memory);
    }
  }

  /** Changes which passwords open the image. */
  @InCoroutine
  void amend(LuksKeyChange change, boolean force) throws BlockException, OptionException {
    if (keys == null) {
      throw invalid("Only LUKS encryption options can be amended");
    }
    change.apply(keys.volume(), keys.objects(), keys.work(), force);
  }

  void close() {
    if (sectors != null) {
      sectors.close();
    }
  }
}
