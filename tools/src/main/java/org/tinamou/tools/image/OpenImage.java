package org.tinamou.tools.image;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.HostFiles;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.protocol.file.FileDriver;
import org.tinamou.drivers.protocol.file.FileExtent;
import org.tinamou.drivers.protocol.file.FileOptions;

/**
 * An open disk image: bytes from 0 to its length, in whole sectors of 512 bytes.
 *
 * <p>Every method belongs to coroutines of the loop the image was opened on; any number of them may
 * be under way. Buffers are off-heap, stay the caller's and must live until the call returns.
 * Requests that reach beyond the end fail with EIO.
 */
public final class OpenImage {
  public static final int SECTOR_BYTES = 512;

  /** So that an offset can be rounded up by a request without running over. */
  private static final long MAX_LENGTH_BYTES = Long.MAX_VALUE & -(1L << 30);

  private final FileDriver file;
  private final String name;
  private final String format;
  private final boolean probed;
  private final boolean writable;
  private long lengthBytes;

  private OpenImage(
      FileDriver file, OpenRequest request, String format, boolean probed, long fileBytes)
      throws BlockException {
    this.file = file;
    this.name = ImageName.pathText(request.name());
    this.format = format;
    this.probed = probed;
    this.writable = request.writable();
    this.lengthBytes = roundUp(fileBytes);
  }

  private static long roundUp(long bytes) {
    return (bytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
  }

  /** Opens an image. */
  public static OpenImage open(AioContext context, OpenRequest request) throws BlockException {
    if (request.format() != null) {
      ImageFormats.requireOpenable(request.format());
    }
    String text = ImageName.pathText(request.name());
    if (text.isEmpty()) {
      throw new BlockException(Errno.EINVAL, "The 'file' block driver requires a file name");
    }
    Path path = ImageName.path(request.name());
    FileOptions options =
        request.writable()
            ? FileOptions.writing(request.cache())
            : FileOptions.reading(request.cache());
    if (request.keepOthersFromChanging()) {
      options = options.unsharing(Permission.WRITE | Permission.RESIZE);
    }
    FileDriver file = FileDriver.open(context, path, text, options);
    try {
      String format = request.format();
      if (format == null) {
        format = probe(file, text);
      }
      return new OpenImage(file, request, format, request.format() == null, file.lengthBytes());
    } catch (BlockException e) {
      file.close();
      throw e;
    }
  }

  private static String probe(FileDriver file, String text) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment header = arena.allocate(ImageFormats.HEADER_BYTES);
      if (file.kind() == HostFiles.Kind.REGULAR || file.lengthBytes() > 0) {
        file.read(header, 0);
      }
      String format = ImageFormats.probe(header.toArray(ValueLayout.JAVA_BYTE), text);
      if (format != null) {
        ImageFormats.requireOpenable(format);
      }
      return ImageFormats.RAW;
    }
  }

  /** Lets go of the image. */
  public void close() {
    file.close();
  }

  /** The name, without a protocol in front. */
  public String name() {
    return name;
  }

  public String format() {
    return format;
  }

  /** Whether the format was guessed. */
  public boolean isProbed() {
    return probed;
  }

  public boolean isWritable() {
    return writable;
  }

  public long lengthBytes() {
    return lengthBytes;
  }

  /** Whether a new image at this place is certain to read as zeroes. */
  public boolean isFile() {
    return file.kind() == HostFiles.Kind.REGULAR;
  }

  /** Whether a range lies inside of the image. */
  public boolean contains(long offsetBytes, long size) {
    return offsetBytes >= 0 && size >= 0 && offsetBytes <= lengthBytes - size;
  }

  private void require(long offsetBytes, long size, String doing) throws BlockException {
    if (!contains(offsetBytes, size)) {
      throw BlockException.of(Errno.EIO, doing);
    }
  }

  /** Fills the buffers. */
  public void read(IoVector buffers, long offsetBytes) throws BlockException {
    require(offsetBytes, buffers.sizeBytes(), "read");
    file.read(buffers, offsetBytes);
  }

  /** Writes the buffers. */
  public void write(IoVector buffers, long offsetBytes) throws BlockException {
    require(offsetBytes, buffers.sizeBytes(), "write");
    if (probed && offsetBytes < ImageFormats.HEADER_BYTES && buffers.sizeBytes() > 0) {
      refuseOtherFormat(buffers, offsetBytes);
    }
    file.write(buffers, offsetBytes);
  }

  /**
   * A guest could otherwise turn an image whose format is guessed into one that names other files.
   */
  private void refuseOtherFormat(IoVector buffers, long offsetBytes) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment header = arena.allocate(ImageFormats.HEADER_BYTES);
      file.read(header, 0);
      long position = offsetBytes;
      for (MemorySegment segment : buffers.segments()) {
        long length = Math.min(segment.byteSize(), ImageFormats.HEADER_BYTES - position);
        if (length <= 0) {
          break;
        }
        header.asSlice(position, length).copyFrom(segment.asSlice(0, length));
        position += length;
      }
      if (ImageFormats.probeHeader(header.toArray(ValueLayout.JAVA_BYTE)) != null) {
        throw BlockException.of(Errno.EPERM, "write");
      }
    }
  }

  /**
   * Makes a range read as zeroes.
   *
   * @param mayUnmap its space may be given back
   * @param onlyIfFast fail with EOPNOTSUPP rather than write zeroes
   */
  public void writeZeroes(long offsetBytes, long size, boolean mayUnmap, boolean onlyIfFast)
      throws BlockException {
    require(offsetBytes, size, "write");
    file.writeZeroes(offsetBytes, size, mayUnmap, onlyIfFast);
  }

  /** Gives the space of a range back. */
  public void discard(long offsetBytes, long size) throws BlockException {
    require(offsetBytes, size, "discard");
    file.discard(offsetBytes, size);
  }

  /** Brings what was written to the disk. */
  public void flush() throws BlockException {
    file.flush();
  }

  /** Changes the length. */
  public void truncate(long sizeBytes, PreallocationMode preallocation) throws BlockException {
    if (sizeBytes > MAX_LENGTH_BYTES) {
      throw new BlockException(
          Errno.EFBIG, "offset(" + sizeBytes + ") exceeds maximum(" + MAX_LENGTH_BYTES + ")");
    }
    file.truncate(sizeBytes, preallocation);
    lengthBytes = roundUp(file.lengthBytes());
  }

  /** The status of the bytes from an offset inside of the image, at most as many as asked. */
  public Extent extentAt(long offsetBytes, long size) throws BlockException {
    require(offsetBytes, size, "block status");
    FileExtent extent = file.extentAt(offsetBytes, size);
    return new Extent(extent.lengthBytes(), extent.data());
  }

  /** Copies inside the host; as {@link FileDriver#copyFrom}. */
  public long copyFrom(OpenImage source, long sourceOffsetBytes, long offsetBytes, long size)
      throws BlockException {
    source.require(sourceOffsetBytes, size, "read");
    require(offsetBytes, size, "write");
    return file.copyFrom(source.file, sourceOffsetBytes, offsetBytes, size);
  }

  @Override
  public String toString() {
    return format + " image " + name;
  }
}
