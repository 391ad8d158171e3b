package org.tinamou.drivers.protocol.file;

import java.util.List;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.LockType;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;
import org.tinamou.block.Permission;

/**
 * The locks that processes take on an image so as to keep out of each other's way, compatible with
 * the reference's: a shared lock on byte 100 + n says that permission n is used, one on byte 200 +
 * n that it is not shared. Whoever wants a permission looks whether somebody does not share it, and
 * the other way round.
 *
 * <p>The locks belong to the open file description: they vanish with it, also if the process is
 * killed, and opening or closing the file elsewhere does not touch them. Methods block.
 */
final class ImageLocks {
  private static final int USED_BASE_BYTE = LockBytes.USED_BASE;
  private static final int UNSHARED_BASE_BYTE = LockBytes.UNSHARED_BASE;

  /** Permission n is bit n. */
  private static final int PERMISSIONS =
      Integer.SIZE - Integer.numberOfLeadingZeros(Permission.ALL);

  private final HostFiles files;
  private final int fd;
  private int heldUsed;
  private int heldUnshared;
  private boolean supported = true;

  ImageLocks(HostFiles files, int fd) {
    this.files = files;
    this.fd = fd;
  }

  /**
   * Changes what is locked. If another process is in the way nothing changes.
   *
   * @param used what this process does: bits of {@link Permission}
   * @param unshared what others must not do
   * @param name what messages call the file
   */
  void change(int used, int unshared, String name) throws BlockException {
    if (!supported) {
      return;
    }
    try {
      change(used, unshared);
    } catch (BlockException e) {
      throw e.withHint(LockBytes.hint(name, holders()));
    }
  }

  private List<String> holders() {
    try {
      return files.lockHolders(fd);
    } catch (ErrnoException e) {
      return List.of();
    }
  }

  private void change(int used, int unshared) throws BlockException {
    int usedBefore = heldUsed;
    int unsharedBefore = heldUnshared;
    try {
      lock(USED_BASE_BYTE, used);
      lock(UNSHARED_BASE_BYTE, unshared);
      // Both sides announce themselves first and look afterwards, so that one of two sees the
      // other.
      refuseIfLocked(UNSHARED_BASE_BYTE, used, "Failed to get \"%s\" lock");
      refuseIfLocked(USED_BASE_BYTE, unshared, LockBytes.USED_BY_OTHERS);
      heldUsed = used;
      heldUnshared = unshared;
    } catch (BlockException e) {
      heldUsed = usedBefore | used;
      heldUnshared = unsharedBefore | unshared;
      drop(usedBefore, unsharedBefore);
      throw e;
    }
    unlock(USED_BASE_BYTE, usedBefore & ~used);
    unlock(UNSHARED_BASE_BYTE, unsharedBefore & ~unshared);
  }

  /**
   * Lets go of everything. Closing the descriptor is not enough: the kernel may keep the open file
   * for a moment longer, for a request that has just ended.
   */
  void release() {
    drop(0, 0);
  }

  /**
   * Takes all that is held for another descriptor of the same file, which takes the place of this
   * one, and then lets go of it here: at no moment is nothing held.
   */
  void passTo(int otherFd) throws ErrnoException {
    lockAlsoOn(otherFd);
    unlock(USED_BASE_BYTE, heldUsed);
    unlock(UNSHARED_BASE_BYTE, heldUnshared);
  }

  private void lockAlsoOn(int otherFd) throws ErrnoException {
    for (int index = 0; index < PERMISSIONS && supported; index++) {
      if ((heldUsed & 1 << index) != 0) {
        files.tryLock(otherFd, LockType.SHARED, USED_BASE_BYTE + index, 1);
      }
      if ((heldUnshared & 1 << index) != 0) {
        files.tryLock(otherFd, LockType.SHARED, UNSHARED_BASE_BYTE + index, 1);
      }
    }
  }

  private void lock(int base, int permissions) throws BlockException {
    for (int index = 0; index < PERMISSIONS && supported; index++) {
      if ((permissions & 1 << index) != 0) {
        lockByte(base + index);
      }
    }
  }

  private void lockByte(int lockedByte) throws BlockException {
    try {
      if (!files.tryLock(fd, LockType.SHARED, lockedByte, 1)) {
        throw BlockException.of(Errno.EAGAIN, "Failed to lock byte " + lockedByte);
      }
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EINVAL && e.errno() != Errno.ENOSYS) {
        throw BlockException.of(e.errno(), "Failed to lock byte " + lockedByte);
      }
      // A kernel or file system without such locks: nobody can hold one either.
      supported = false;
    }
  }

  private void refuseIfLocked(int base, int permissions, String message) throws BlockException {
    for (int index = 0; index < PERMISSIONS && supported; index++) {
      if ((permissions & 1 << index) == 0) {
        continue;
      }
      String refusal = LockBytes.refusal(message, 1 << index);
      try {
        if (files.isLockedByOther(fd, LockType.EXCLUSIVE, base + index, 1)) {
          throw new BlockException(Errno.EAGAIN, refusal);
        }
      } catch (ErrnoException e) {
        throw BlockException.of(e.errno(), refusal);
      }
    }
  }

  /** Drops every held lock that is not to be kept. */
  private void drop(int keepUsed, int keepUnshared) {
    unlock(USED_BASE_BYTE, heldUsed & ~keepUsed);
    unlock(UNSHARED_BASE_BYTE, heldUnshared & ~keepUnshared);
    heldUsed = keepUsed;
    heldUnshared = keepUnshared;
  }

  private void unlock(int base, int permissions) {
    for (int index = 0; index < PERMISSIONS && supported; index++) {
      if ((permissions & 1 << index) != 0) {
        try {
          files.tryLock(fd, LockType.UNLOCK, base + index, 1);
        } catch (ErrnoException e) {
          throw new IllegalStateException("unlocking cannot fail on a valid descriptor", e);
        }
      }
    }
  }
}
