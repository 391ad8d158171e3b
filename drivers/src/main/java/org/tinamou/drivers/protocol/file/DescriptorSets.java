package org.tinamou.drivers.protocol.file;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;

/**
 * Files that somebody else has opened for this program, in numbered sets: {@code /dev/fdset/N}
 * opens whichever of a set was opened for reading only, or for writing too, as is needed. Methods
 * may be called on any thread; those that open or close may block.
 */
public final class DescriptorSets implements FileOpener {
  private static final String PREFIX = "/dev/fdset/";

  /**
   * A file of a set.
   *
   * @param opaque what whoever added it wanted to remember of it
   */
  public record Member(int fd, @Nullable String opaque) {}

  private static final class DescriptorSet {
    final List<Member> members = new ArrayList<>();
    final List<Member> removed = new ArrayList<>();
    int copies;
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final TreeMap<Long, DescriptorSet> sets = new TreeMap<>();
  private final BooleanSupplier running;

  /**
   * No sets yet.
   *
   * @param running whether the machine runs: until then nothing that is removed goes
   */
  public DescriptorSets(BooleanSupplier running) {
    this.running = running;
  }

  /**
   * Adds a file, whose descriptor is this object's from now on.
   *
   * @param setId a set, which may be new; null for a new one with the lowest number
   * @return the number of the set
   */
  @AnyThread
  public long add(@Nullable Long setId, int fd, @Nullable String opaque) {
    lock.lock();
    try {
      long id = setId == null ? firstFree() : setId;
      sets.computeIfAbsent(id, _ -> new DescriptorSet()).members.add(new Member(fd, opaque));
      return id;
    } finally {
      lock.unlock();
    }
  }

  private long firstFree() {
    long id = 0;
    while (sets.containsKey(id)) {
      id++;
    }
    return id;
  }

  /**
   * Removes one file or, if {@code fd} is null, all of a set.
   *
   * @return whether there is such a thing
   */
  @AnyThread
  public boolean remove(HostFiles files, long setId, @Nullable Integer fd) {
    lock.lock();
    try {
      DescriptorSet set = sets.get(setId);
      if (set == null) {
        return false;
      }
      boolean found = fd == null;
      for (Member member : set.members) {
        if (fd == null || member.fd() == fd) {
          found = true;
          set.removed.add(member);
        }
      }
      if (found) {
        tidy(files, setId, set);
      }
      return found;
    } finally {
      lock.unlock();
    }
  }

  /** The sets by their numbers, the highest first. */
  @AnyThread
  public Map<Long, List<Member>> all() {
    lock.lock();
    try {
      TreeMap<Long, List<Member>> all = new TreeMap<>();
      sets.forEach((id, set) -> all.put(id, List.copyOf(set.members)));
      return all.descendingMap();
    } finally {
      lock.unlock();
    }
  }

  private void tidy(HostFiles files, long id, DescriptorSet set) {
    if (running.getAsBoolean()) {
      for (Member member : set.removed) {
        if (set.members.remove(member)) {
          closeQuietly(files, member.fd());
        }
      }
      set.removed.clear();
    }
    if (set.members.isEmpty() && set.copies == 0) {
      sets.remove(id);
    }
  }

  private static void closeQuietly(HostFiles files, int fd) {
    try {
      files.close(fd);
    } catch (ErrnoException e) {
      return; // it is gone all the same
    }
  }

  // ------------------------------------------------------------------------------------ opening

  /** The number in a name, or null if the name is another file's. */
  private static @Nullable Long setOf(String path) throws BlockException {
    if (!path.startsWith(PREFIX)) {
      return null;
    }
    try {
      return Long.parseUnsignedLong(path.substring(PREFIX.length()));
    } catch (NumberFormatException e) {
      throw new BlockException(Errno.EINVAL, "Could not parse fdset " + path);
    }
  }

  @Override
  public int open(HostFiles files, Path path, String name, OpenFlag... flags)
      throws BlockException {
    if (!path.startsWith("/dev/fdset")) {
      return HOST.open(files, path, name, flags);
    }
    Long id = setOf(name);
    if (id == null) {
      return HOST.open(files, path, name, flags);
    }
    lock.lock();
    try {
      DescriptorSet set = sets.get(id);
      Errno problem = Errno.EACCES;
      if (set == null) {
        throw notCopied(Errno.ENOENT, name, flags);
      }
      for (Member member : set.members) {
        try {
          int copy = files.duplicate(member.fd(), flags);
          set.copies++;
          return copy;
        } catch (ErrnoException e) {
          problem = e.errno();
        }
      }
      throw notCopied(problem, name, flags);
    } finally {
      lock.unlock();
    }
  }

  private static BlockException notCopied(Errno problem, String name, OpenFlag... flags) {
    return BlockException.of(problem, "Could not dup FD for " + name + " flags " + hex(flags));
  }

  private static String hex(OpenFlag... flags) {
    int bits = 0;
    for (OpenFlag flag : flags) {
      bits |= flag == OpenFlag.READ_WRITE ? 2 : flag == OpenFlag.DIRECT ? 0x4000 : 0;
    }
    return Integer.toHexString(bits);
  }

  @Override
  public void closed(HostFiles files, Path path) {
    if (!path.startsWith("/dev/fdset")) {
      return;
    }
    lock.lock();
    try {
      Long id = setOf(path.toString());
      DescriptorSet set = id == null ? null : sets.get(id);
      if (id != null && set != null && --set.copies == 0) {
        tidy(files, id, set);
      }
    } catch (BlockException e) {
      throw new IllegalStateException("a name that was opened by has no number", e);
    } finally {
      lock.unlock();
    }
  }

  /** Closes a descriptor that was passed in vain. */
  @AnyThread
  public void closeUnwanted(HostFiles files, int fd) {
    closeQuietly(files, fd);
  }

  /** Closes all files; no node uses them any more. */
  @AnyThread
  public void close(HostFiles files) {
    lock.lock();
    try {
      sets.values().forEach(set -> set.members.forEach(each -> closeQuietly(files, each.fd())));
      sets.clear();
    } finally {
      lock.unlock();
    }
  }
}
