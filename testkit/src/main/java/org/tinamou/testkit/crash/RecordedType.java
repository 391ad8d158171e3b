package org.tinamou.testkit.crash;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.OptionException;

/** {@code driver=recorded,disk=NAME}: shows a {@link RecordedFile}. */
final class RecordedType implements DriverType {
  static final String NAME = "recorded";

  private final Map<String, RecordedFile> files = new HashMap<>();
  private final SeededRandom random;
  private boolean yielding;
  private int changesUntilFailure;

  RecordedType(SeededRandom random) {
    this.random = random;
  }

  void put(String name, RecordedFile file) {
    files.put(name, file);
  }

  boolean has(String name) {
    return files.containsKey(name);
  }

  RecordedFile file(String name) {
    return Objects.requireNonNull(files.get(name), name);
  }

  /** Whether requests let others go first at random. */
  void setYielding(boolean value) {
    yielding = value;
  }

  /** Lets the write or flush fail that comes after so many others; none if 0. */
  void failOnce(int changes) {
    changesUntilFailure = changes;
  }

  private void mayFail() throws BlockException {
    if (changesUntilFailure > 0 && --changesUntilFailure == 0) {
      throw BlockException.of(random.nextBoolean() ? Errno.EIO : Errno.ENOSPC, "injected");
    }
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    opening
        .options()
        .stringOrNull("filename"); // an image's own name for it, which is nobody's file
    return new Driver(file(opening.options().string("disk")));
  }

  private final class Driver implements BlockDriver.Resizable {
    private final RecordedFile file;

    Driver(RecordedFile file) {
      this.file = file;
    }

    private void pause() {
      while (yielding && random.nextInt(3) > 0) {
        Coroutine.yieldNow();
      }
    }

    @Override
    public String formatName() {
      return NAME;
    }

    @Override
    public long lengthBytes() {
      return file.size();
    }

    @Override
    public BlockLimits limits() {
      return BlockLimits.NONE;
    }

    @Override
    public void read(long offsetBytes, IoVector buffer, int flags) {
      pause();
      long position = offsetBytes;
      for (MemorySegment segment : buffer.segments()) {
        byte[] bytes = new byte[(int) segment.byteSize()];
        file.read(position, bytes);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        position += bytes.length;
      }
    }

    @Override
    public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
      mayFail();
      byte[] all = new byte[(int) buffer.sizeBytes()];
      int position = 0;
      for (MemorySegment segment : buffer.segments()) {
        int length = (int) segment.byteSize();
        MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, all, position, length);
        position += length;
      }
      pause();
      file.write(offsetBytes, all);
      pause();
    }

    @Override
    public int writeFlags() {
      return 0;
    }

    @Override
    public void flush() throws BlockException {
      mayFail();
      pause();
      file.flush();
      pause();
    }

    @Override
    public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation) {
      file.resize(lengthBytes);
    }

    @Override
    public void close() {}
  }
}
