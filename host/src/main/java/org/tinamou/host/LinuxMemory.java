package org.tinamou.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/** Pages straight from the kernel. Any thread. */
public final class LinuxMemory {
  public static final int READ = 1;
  public static final int WRITE = 2;

  /** Changes are seen by everybody who maps the file and reach the file. */
  public static final int SHARED = 1;

  /** Changes stay with this mapping. */
  public static final int PRIVATE = 2;

  public static final int ANONYMOUS = 0x20;

  /** Faults all pages in at once. */
  public static final int POPULATE = 0x8000;

  /** How a range of memory is going to be used. */
  public enum Advice {
    NORMAL(0),
    RANDOM(1),
    SEQUENTIAL(2),
    WILL_NEED(3),
    DONT_NEED(4),
    HUGE_PAGES(14);

    private final int code;

    Advice(int code) {
      this.code = code;
    }
  }

  private static final MemorySegment MMAP = NativeCalls.function("mmap");
  private static final MemorySegment MUNMAP = NativeCalls.function("munmap");
  private static final MemorySegment MADVISE = NativeCalls.function("madvise");
  private static final int PAGE_BYTES =
      NativeCalls.callInt(NativeCalls.function("getpagesize"), 0, 0, 0, 0);

  private LinuxMemory() {}

  /** The machine's page size. */
  public static int pageBytes() {
    return PAGE_BYTES;
  }

  /**
   * Page-aligned memory of zeroes, given back when the arena closes.
   *
   * @param arena owns the memory; not a confined one if requests are to use it
   */
  public static MemorySegment allocatePages(Arena arena, long sizeBytes) throws ErrnoException {
    MemorySegment pages = map(sizeBytes, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
    return pages.reinterpret(arena, LinuxMemory::unmapOwned);
  }

  /**
   * The first bytes of a file, as they are at any moment, until the arena closes. Access to what
   * lies beyond the file's end, if others cut it short, or cannot be read ends in an {@link
   * InternalError}.
   */
  public static MemorySegment mapForReading(Arena arena, int fd, long sizeBytes)
      throws ErrnoException {
    MemorySegment pages = map(sizeBytes, READ, SHARED, fd, 0);
    return pages.reinterpret(arena, LinuxMemory::unmapOwned).asReadOnly();
  }

  /**
   * mmap(2). The memory is nobody's: access to it after {@link #unmap} is fatal.
   *
   * @param fd -1 for {@link #ANONYMOUS} memory
   */
  public static MemorySegment map(
      long sizeBytes, int protection, int flags, int fd, long offsetBytes) throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      long address =
          NativeCalls.call(
              MMAP, scratch.capture, 0, sizeBytes, protection, flags, fd, offsetBytes, 0);
      if (address < 0 && address >= -4095) {
        NativeCalls.checked(address, "mmap of " + sizeBytes + " bytes");
      }
      return MemorySegment.ofAddress(address).reinterpret(sizeBytes);
    } finally {
      scratch.release();
    }
  }

  /**
   * Copies out of or into a mapping of a file that others may cut short meanwhile. Plain access to
   * pages beyond the end of the file ends in an {@link InternalError}; this says EIO, after which
   * the bytes copied are undefined.
   *
   * @return 0 or {@code -EIO}
   */
  public static int copy(MemorySegment source, MemorySegment target) {
    try {
      target.copyFrom(source);
      return 0;
    } catch (InternalError fault) {
      return -Errno.EIO.number();
    }
  }

  public static int unmap(MemorySegment mapping) {
    return NativeCalls.callInt(MUNMAP, mapping.address(), mapping.byteSize(), 0, 0);
  }

  /** madvise(2) over whole pages. */
  public static int advise(MemorySegment pages, Advice advice) {
    long address = NativeCalls.address(pages);
    return NativeCalls.callInt(MADVISE, address, pages.byteSize(), advice.code, 0);
  }

  private static void unmapOwned(MemorySegment pages) {
    unmap(pages);
  }
}
