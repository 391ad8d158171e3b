package org.tinamou.drivers.protocol.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.host.LinuxMemory;

/**
 * A host file's bytes where they lie in the host's cache, for whoever copies much of it: reading
 * them takes no buffer and no copy. They are those that the file has at the moment.
 */
public final class MappedFile {
  /** Whole pages, on every machine. */
  private static final int UNIT_BYTES = 64 << 10;

  /** What the kernel maps at once, and takes away at once when a part of it is not wanted. */
  private static final int LARGE_PAGE_BYTES = 2 << 20;

  /** So many ranges that were read stay a while: others may be reading beside them. */
  private static final int KEPT_RANGES = 8;

  private record Range(long start, long end) {}

  private final MemorySegment memory;
  private final ConcurrentLinkedQueue<Range> kept = new ConcurrentLinkedQueue<>();
  private final AtomicInteger keptCount = new AtomicInteger();

  private MappedFile(MemorySegment memory) {
    this.memory = memory;
  }

  /**
   * A file of the length it has now, until the arena closes.
   *
   * @return null for a device, for a file that is read past the host's cache, for an empty one and
   *     where the host cannot do it
   */
  @InCoroutine
  public static @Nullable MappedFile of(FileDriver file, Arena arena) throws BlockException {
    boolean possible = file.kind() == HostFiles.Kind.REGULAR && !file.isDirect();
    long length = possible ? file.lengthBytes() : 0;
    MemorySegment memory = length > 0 ? file.map(length, arena) : null;
    return memory == null ? null : new MappedFile(memory);
  }

  /**
   * A part of the file, or null if it was not as long. Reading what the device cannot deliver, or
   * what others have cut off meanwhile, ends in an {@link InternalError}, and in EFAULT where the
   * kernel does it.
   */
  @AnyThread
  public @Nullable MemorySegment at(long offsetBytes, long lengthBytes) {
    return offsetBytes <= memory.byteSize() - lengthBytes
        ? memory.asSlice(offsetBytes, lengthBytes)
        : null;
  }

  /** A range will be read soon, as far as there is such a one: the device may start. */
  @AnyThread
  public void announce(long offsetBytes, long lengthBytes) {
    long start = AlignedMemory.roundDown(offsetBytes, UNIT_BYTES);
    advise(start, offsetBytes + lengthBytes, LinuxMemory.Advice.WILL_NEED);
  }

  /**
   * A range was read; when some more have been, it need not count as the process's memory any more.
   */
  @AnyThread
  public void done(long offsetBytes, long lengthBytes) {
    kept.add(
        new Range(
            AlignedMemory.roundDown(offsetBytes, LARGE_PAGE_BYTES),
            AlignedMemory.roundUp(offsetBytes + lengthBytes, LARGE_PAGE_BYTES)));
    Range oldest = keptCount.incrementAndGet() > KEPT_RANGES ? kept.poll() : null;
    if (oldest != null) {
      keptCount.decrementAndGet();
      advise(oldest.start(), oldest.end(), LinuxMemory.Advice.DONT_NEED);
    }
  }

  private void advise(long from, long to, LinuxMemory.Advice advice) {
    long start = Math.min(from, memory.byteSize());
    long end = Math.min(to, memory.byteSize());
    if (start < end) {
      LinuxMemory.advise(memory.asSlice(start, end - start), advice);
    }
  }
}
