package org.tinamou.drivers.format.luks;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.FileNames;
import org.tinamou.drivers.AmendableImage;
import org.tinamou.drivers.EncryptedSectors;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.crypto.SectorCipher;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;

/** A node that shows a volume's data. */
public final class LuksDriver
    implements BlockDriver.Resizable,
        BlockDriver.Reopenable,
        BlockDriver.Named,
        AmendableImage,
        ImageDescription.Source {
  /**
   * What a driver stands on.
   *
   * @param namesSecret whether its options name a password, so that a plain name does not say it
   *     all
   */
  record Parts(
      Edge file,
      @Nullable Edge headerFile,
      boolean namesSecret,
      ObjectRegistry objects,
      KeyWork work) {}

  private final Parts parts;
  private final Edge file;
  private final LuksHeader header;
  private final @Nullable LuksVolume volume;
  private final @Nullable EncryptedSectors sectors;
  private final long payloadBytes;

  /**
   * A driver.
   *
   * @param volume null if nobody wants to know the data
   */
  LuksDriver(Parts parts, LuksHeader header, @Nullable LuksVolume volume) {
    this.parts = parts;
    this.file = parts.file();
    this.header = header;
    this.volume = volume;
    this.sectors = volume == null ? null : new EncryptedSectors(volume.sectors());
    this.payloadBytes = header.payloadSector() * LuksHeader.SECTOR_BYTES;
  }

  /** What a file shows of data behind a header. */
  static long lengthOf(long fileBytes, long payloadBytes) throws BlockException {
    if (fileBytes < payloadBytes) {
      throw BlockException.of(Errno.EIO, "Could not refresh total sector count");
    }
    return (fileBytes - payloadBytes + SectorCipher.SECTOR_BYTES - 1) & -SectorCipher.SECTOR_BYTES;
  }

  @Override
  public String formatName() {
    return "luks";
  }

  @Override
  public String exactFileName() {
    return parts.headerFile() == null && !parts.namesSecret()
        ? FileNames.exactOfImageIn(file.child())
        : "";
  }

  @Override
  public long lengthBytes() {
    BlockDriver driver = file.child().driverOrNull();
    return driver == null ? 0 : Math.max(0, driver.lengthBytes() - payloadBytes);
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE.withRequestAlignment(SectorCipher.SECTOR_BYTES);
  }

  @Override
  public ImageDescription description() {
    LuksHeader now = volume == null ? header : volume.header();
    try {
      return LuksDescription.of(now, lengthBytes(), parts.headerFile() != null);
    } catch (BlockException e) {
      throw new IllegalStateException("a header that was checked", e);
    }
  }

  private EncryptedSectors sectors() {
    return Objects.requireNonNull(sectors, "opened without a key");
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    file.read(payloadBytes + offsetBytes, buffer, flags);
    sectors().decrypt(buffer, offsetBytes);
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    EncryptedSectors encryption = sectors();
    long size = buffer.sizeBytes();
    MemorySegment memory = encryption.take();
    try {
      for (long done = 0; done < size; done += EncryptedSectors.PIECE_BYTES) {
        long length = Math.min(EncryptedSectors.PIECE_BYTES, size - done);
        MemorySegment piece = memory.asSlice(0, length);
        encryption.encrypt(buffer.slice(done, length), piece, offsetBytes + done);
        file.write(payloadBytes + offsetBytes + done, IoVector.of(piece), flags);
      }
    } finally {
      encryption.give(memory);
    }
  }

  @Override
  public int writeFlags() {
    return file.writeFlags() & RequestFlags.FORCE_UNIT_ACCESS;
  }

  @Override
  public void flush() {
    // The node flushes its children.
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    if (lengthBytes > Long.MAX_VALUE - payloadBytes) {
      throw new BlockException(Errno.EFBIG, "The requested file size is too large");
    }
    file.truncate(payloadBytes + lengthBytes, exact, preallocation);
  }

  @Override
  public PreparedReopen prepareReopen(ReopenChange change) {
    return PreparedReopen.NOTHING;
  }

  @Override
  public OptionSchema amendOptions() {
    return LuksKeyChange.schema("");
  }

  @Override
  public OptionSchema creationOptions() {
    return LuksCreator.OPTIONS;
  }

  @Override
  public void amend(OptionValues values, boolean force) throws BlockException, OptionException {
    LuksVolume unlocked = Objects.requireNonNull(volume, "opened without a key");
    LuksKeyChange.of(values, "").apply(unlocked, parts.objects(), parts.work(), force);
  }

  @Override
  public void close() {
    if (sectors != null) {
      sectors.close();
    }
  }
}
