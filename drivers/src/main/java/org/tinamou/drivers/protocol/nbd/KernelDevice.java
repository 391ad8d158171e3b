package org.tinamou.drivers.protocol.nbd;

import java.nio.file.Files;
import java.nio.file.Path;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Errno;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.NbdDevices;
import org.tinamou.host.OpenFlags;

/** A device of the kernel's own NBD client, such as {@code /dev/nbd0}. Its calls block. */
public final class KernelDevice {
  private static final Path MODULE = Path.of("/sys/module/nbd");

  private final String path;

  public KernelDevice(String path) {
    this.path = path;
  }

  /** Whether the kernel has such a client at the moment, so that there can be devices. */
  @AnyThread
  public static boolean isClientLoaded() {
    return Files.exists(MODULE);
  }

  /** Why the device cannot be used: 0, or a negative errno of opening it. */
  @AnyThread
  public int look() {
    int fd = LinuxFiles.open(path, OpenFlags.READ_WRITE, 0);
    if (fd >= 0) {
      LinuxFiles.close(fd);
    }
    return Math.min(fd, 0);
  }

  /** Takes the device from its server, if it has one; 0, or a negative errno of opening it. */
  @AnyThread
  public int disconnect() {
    int fd = LinuxFiles.open(path, OpenFlags.READ_WRITE, 0);
    if (fd < 0) {
      return fd;
    }
    try {
      NbdDevices.disconnect(fd);
      return 0;
    } finally {
      LinuxFiles.close(fd);
    }
  }

  /** The words for a negative errno. */
  @AnyThread
  public static String reason(int result) {
    return Errno.ofResult(result).message();
  }
}
