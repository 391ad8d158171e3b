package org.tinamou.nbd.wire;

import org.tinamou.base.Errno;

/** Errors on the wire, which has a few of them only. */
public final class NbdErrno {
  private NbdErrno() {}

  /** What is sent for an error. */
  public static int toWire(Errno errno) {
    return switch (errno) {
      case EPERM, EROFS -> 1;
      case EIO -> 5;
      case ENOMEM -> 12;
      case ENOSPC, EFBIG, EDQUOT -> 28;
      case EOVERFLOW -> 75;
      case EOPNOTSUPP -> 95;
      case ESHUTDOWN -> 108;
      default -> 22;
    };
  }

  /** What a received number stands for; EINVAL for those that the protocol does not have. */
  public static Errno ofWire(int number) {
    return switch (number) {
      case 1 -> Errno.EPERM;
      case 5 -> Errno.EIO;
      case 12 -> Errno.ENOMEM;
      case 28 -> Errno.ENOSPC;
      case 75 -> Errno.EOVERFLOW;
      case 95 -> Errno.EOPNOTSUPP;
      case 108 -> Errno.ESHUTDOWN;
      default -> Errno.EINVAL;
    };
  }
}
