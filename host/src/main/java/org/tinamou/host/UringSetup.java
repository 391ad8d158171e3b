package org.tinamou.host;

import static org.tinamou.host.UringAbi.*;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/**
 * The system calls that make a ring: finds the best set of flags this kernel takes, and maps what
 * it shares.
 */
final class UringSetup {
  private static final int COMMON = SETUP_CQSIZE | SETUP_CLAMP;

  /**
   * Best first. One issuer with deferred completion work never interrupts the thread that runs the
   * loop; kernels that lack a flag refuse the whole set with EINVAL.
   */
  private static final int[] CHOICES = {
    SETUP_SINGLE_ISSUER
        | SETUP_DEFER_TASKRUN
        | SETUP_TASKRUN_FLAG
        | SETUP_R_DISABLED
        | SETUP_SUBMIT_ALL
        | SETUP_NO_SQARRAY,
    SETUP_SINGLE_ISSUER
        | SETUP_DEFER_TASKRUN
        | SETUP_TASKRUN_FLAG
        | SETUP_R_DISABLED
        | SETUP_SUBMIT_ALL,
    SETUP_COOP_TASKRUN | SETUP_TASKRUN_FLAG | SETUP_SUBMIT_ALL,
    0
  };

  private static final int NEEDED_FEATURES =
      FEAT_SINGLE_MMAP | FEAT_NODROP | FEAT_SUBMIT_STABLE | FEAT_EXT_ARG | FEAT_RSRC_TAGS;

  final int ringFd;

  /** Both index rings and the completion entries. */
  final MemorySegment rings;

  /** The submission entries. */
  final MemorySegment entries;

  private final int flags;

  /** The kernel's answer, {@code struct io_uring_params}. */
  private final int[] params;

  private UringSetup(
      int ringFd, int flags, int[] params, MemorySegment rings, MemorySegment entries) {
    this.ringFd = ringFd;
    this.flags = flags;
    this.params = params;
    this.rings = rings;
    this.entries = entries;
  }

  static UringSetup make(int entries, int completionEntries, boolean singleIssuer)
      throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      long result = -Errno.EINVAL.number();
      int index = singleIssuer ? 0 : 2;
      MemorySegment params = scratch.struct.asSlice(0, PARAMS_BYTES);
      for (; index < CHOICES.length && result == -Errno.EINVAL.number(); index++) {
        params.fill((byte) 0);
        params.set(ValueLayout.JAVA_INT, PARAMS_CQ_ENTRIES, completionEntries);
        params.set(ValueLayout.JAVA_INT, PARAMS_FLAGS, COMMON | CHOICES[index]);
        result =
            NativeCalls.call(
                IoUring.SYSCALL, scratch.capture, SYS_SETUP, entries, params.address(), 0, 0, 0, 0);
      }
      int ringFd = (int) NativeCalls.checked(result, "io_uring_setup");
      return map(ringFd, CHOICES[index - 1], params.toArray(ValueLayout.JAVA_INT));
    } finally {
      scratch.release();
    }
  }

  private static UringSetup map(int ringFd, int flags, int[] params) throws ErrnoException {
    MemorySegment rings = MemorySegment.NULL;
    try {
      if ((params[PARAMS_FEATURES / 4] & NEEDED_FEATURES) != NEEDED_FEATURES) {
        throw new ErrnoException(Errno.ENOSYS, "this kernel's io_uring is too old");
      }
      int protection = LinuxMemory.READ | LinuxMemory.WRITE;
      int mapFlags = LinuxMemory.SHARED | LinuxMemory.POPULATE;
      rings = LinuxMemory.map(ringBytes(flags, params), protection, mapFlags, ringFd, MMAP_RINGS);
      long entryBytes = (long) params[PARAMS_SQ_ENTRIES / 4] * SQE_BYTES;
      MemorySegment entries = LinuxMemory.map(entryBytes, protection, mapFlags, ringFd, MMAP_SQES);
      return new UringSetup(ringFd, flags, params, rings, entries);
    } catch (ErrnoException refused) {
      LinuxMemory.unmap(rings);
      LinuxFiles.close(ringFd);
      throw refused;
    }
  }

  private static long ringBytes(int flags, int[] params) {
    long completions = params[CQ_CQES / 4] + (long) params[PARAMS_CQ_ENTRIES / 4] * CQE_BYTES;
    if ((flags & SETUP_NO_SQARRAY) != 0) {
      return completions;
    }
    long array = params[SQ_ARRAY / 4] + (long) params[PARAMS_SQ_ENTRIES / 4] * Integer.BYTES;
    return Math.max(completions, array);
  }

  /** A field of {@code struct io_uring_params} by its offset. */
  int param(int offset) {
    return params[offset / 4];
  }

  /** Whether an IORING_SETUP flag is in force. */
  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  void close() {
    LinuxMemory.unmap(rings);
    LinuxMemory.unmap(entries);
    LinuxFiles.close(ringFd);
  }
}
