package org.tinamou.drivers.protocol.file;

import java.util.EnumSet;
import java.util.Set;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.LockType;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;

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
  private static final int USED_BASE_BYTE = 100;
  private static final int UNSHARED_BASE_BYTE = 200;

  private final HostFiles files;
  private final int fd;
  private Set<Permission> heldUsed = EnumSet.noneOf(Permission.class);
  private Set<Permission> heldUnshared = EnumSet.noneOf(Permission.class);
  private boolean supported = true;

  ImageLocks(HostFiles files, int fd) {
    this.files = files;
    this.fd = fd;
  }

  /**
   * Changes what is locked. If another process is in the way nothing changes.
   *
   * @param used what this process does
   * @param unshared what others must not do
   */
  void change(Set<Permission> used, Set<Permission> unshared) throws BlockException {
    if (!supported) {
      return;
    }
    Set<Permission> usedBefore = heldUsed;
    Set<Permission> unsharedBefore = heldUnshared;
    try {
      lock(USED_BASE_BYTE, used);
      lock(UNSHARED_BASE_BYTE, unshared);
      // Both sides announce themselves first and look afterwards, so that one of two sees the
      // other.
      for (Permission permission : used) {
        refuseIfLocked(UNSHARED_BASE_BYTE, permission, "Failed to get \"%s\" lock");
      }
      for (Permission permission : unshared) {
        refuseIfLocked(USED_BASE_BYTE, permission, "Failed to get shared \"%s\" lock");
      }
      heldUsed = copy(used);
      heldUnshared = copy(unshared);
    } catch (BlockException e) {
      heldUsed = union(usedBefore, used);
      heldUnshared = union(unsharedBefore, unshared);
      drop(usedBefore, unsharedBefore);
      throw e;
    }
    drop(used, unshared);
  }

  private void lock(int base, Set<Permission> permissions) throws BlockException {
    for (Permission permission : permissions) {
      int lockedByte = base + permission.ordinal();
      try {
        if (!files.tryLock(fd, LockType.SHARED, lockedByte, 1)) {
          throw BlockException.of(Errno.EAGAIN, "Failed to lock byte " + lockedByte);
        }
      } catch (ErrnoException e) {
        if (e.errno() == Errno.EINVAL || e.errno() == Errno.ENOSYS) {
          // A kernel or file system without such locks: nobody can hold one either.
          supported = false;
          return;
        }
        throw BlockException.of(e.errno(), "Failed to lock byte " + lockedByte);
      }
    }
  }

  private void refuseIfLocked(int base, Permission permission, String message)
      throws BlockException {
    try {
      if (!supported
          || !files.isLockedByOther(fd, LockType.EXCLUSIVE, base + permission.ordinal(), 1)) {
        return;
      }
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), message.formatted(permission.text()));
    }
    throw new BlockException(Errno.EAGAIN, message.formatted(permission.text()));
  }

  /** Drops every held lock that is not to be kept. */
  private void drop(Set<Permission> keepUsed, Set<Permission> keepUnshared) {
    unlock(USED_BASE_BYTE, heldUsed, keepUsed);
    unlock(UNSHARED_BASE_BYTE, heldUnshared, keepUnshared);
    heldUsed = copy(keepUsed);
    heldUnshared = copy(keepUnshared);
  }

  private void unlock(int base, Set<Permission> held, Set<Permission> keep) {
    for (Permission permission : Permission.values()) {
      if (supported && held.contains(permission) && !keep.contains(permission)) {
        try {
          files.tryLock(fd, LockType.UNLOCK, base + permission.ordinal(), 1);
        } catch (ErrnoException e) {
          throw new IllegalStateException("unlocking cannot fail on a valid descriptor", e);
        }
      }
    }
  }

  private static Set<Permission> copy(Set<Permission> permissions) {
    Set<Permission> copy = EnumSet.noneOf(Permission.class);
    copy.addAll(permissions);
    return copy;
  }

  private static Set<Permission> union(Set<Permission> one, Set<Permission> other) {
    Set<Permission> all = copy(one);
    all.addAll(other);
    return all;
  }
}
