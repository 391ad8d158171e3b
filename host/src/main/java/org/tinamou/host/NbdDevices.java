package org.tinamou.host;

import java.lang.foreign.MemorySegment;

/** Devices of the kernel's own NBD client. Any thread. */
public final class NbdDevices {
  private static final int NBD_CLEAR_SOCK = 0xab04;
  private static final int NBD_CLEAR_QUE = 0xab05;
  private static final int NBD_DISCONNECT = 0xab08;

  private static final MemorySegment IOCTL = NativeCalls.function("ioctl");

  private NbdDevices() {}

  /** Takes a device from its server; one that has none, or is no such device, stays as it is. */
  public static void disconnect(int fd) {
    for (int request : new int[] {NBD_CLEAR_QUE, NBD_DISCONNECT, NBD_CLEAR_SOCK}) {
      NativeCalls.callInt(IOCTL, fd, request, 0, 0);
    }
  }
}
