package org.tinamou.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.base.ErrnoException;

/** What the kernel knows of a block device. Any thread. */
public final class BlockDevices {
  private static final int BLKGETSIZE64 = 0x80081272;
  private static final int BLKSSZGET = 0x1268;
  private static final int BLKPBSZGET = 0x127b;

  private static final MemorySegment IOCTL = NativeCalls.function("ioctl");

  private BlockDevices() {}

  /**
   * The capacity.
   *
   * @throws ErrnoException ENOTTY if the descriptor is not a block device
   */
  public static long sizeBytes(int fd) throws ErrnoException {
    return query(fd, BLKGETSIZE64, "BLKGETSIZE64");
  }

  /** The smallest unit the device can address. */
  public static int logicalBlockBytes(int fd) throws ErrnoException {
    return (int) query(fd, BLKSSZGET, "BLKSSZGET");
  }

  /** The smallest unit the device writes without reading it first. */
  public static int physicalBlockBytes(int fd) throws ErrnoException {
    return (int) query(fd, BLKPBSZGET, "BLKPBSZGET");
  }

  private static long query(int fd, int request, String name) throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      scratch.struct.set(ValueLayout.JAVA_LONG, 0, 0);
      long answer = scratch.struct.address();
      NativeCalls.checked(NativeCalls.callInt(IOCTL, scratch, fd, request, answer, 0), name);
      return scratch.struct.get(ValueLayout.JAVA_LONG, 0);
    } finally {
      scratch.release();
    }
  }
}
