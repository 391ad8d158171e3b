package org.tinamou.host;

/**
 * What the kernel tells about an open file (statx).
 *
 * @param device the device the file lives on, coded as {@code st_dev}
 * @param sizeBytes the length; 0 for a block device, see {@link BlockDevices#sizeBytes}
 * @param allocatedBytes the space really used
 * @param preferredBlockBytes the preferred I/O size
 * @param directMemoryAlignment what buffers of O_DIRECT transfers must be aligned to; 0 if the
 *     kernel does not say
 * @param directOffsetAlignment what offsets and lengths of O_DIRECT transfers must be aligned to; 0
 *     if the kernel does not say
 */
public record FileStatus(
    Kind kind,
    long device,
    long inode,
    long sizeBytes,
    long allocatedBytes,
    int preferredBlockBytes,
    int directMemoryAlignment,
    int directOffsetAlignment) {

  /** The type bits of the mode. */
  public enum Kind {
    REGULAR,
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    FIFO,
    SOCKET,
    OTHER;

    static Kind ofMode(int mode) {
      return switch (mode & 0170000) {
        case 0100000 -> REGULAR;
        case 0060000 -> BLOCK_DEVICE;
        case 0020000 -> CHARACTER_DEVICE;
        case 0040000 -> DIRECTORY;
        case 0010000 -> FIFO;
        case 0140000 -> SOCKET;
        default -> OTHER;
      };
    }
  }
}
