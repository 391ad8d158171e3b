package org.tinamou.drivers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.RequestFlags;

/** Reads and writes small things that live on the heap. */
public final class HeapBytes {
  private HeapBytes() {}

  /** Reads bytes; zeroes stand for what is behind the end of the file. */
  @InCoroutine
  public static byte[] read(Edge file, long offset, int length) throws BlockException {
    if (length == 0) {
      return new byte[0];
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(length);
      file.read(offset, IoVector.of(memory), RequestFlags.NONE);
      return memory.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** The same of what a handle shows. */
  @InCoroutine
  public static byte[] read(BlockBackend file, long offset, int length) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(length);
      file.read(offset, IoVector.of(memory), RequestFlags.NONE);
      return memory.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Writes bytes to what a handle shows, which is long enough. */
  @InCoroutine
  public static void write(BlockBackend file, long offset, byte[] bytes) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(bytes.length);
      memory.copyFrom(MemorySegment.ofArray(bytes));
      file.write(offset, IoVector.of(memory), RequestFlags.NONE);
    }
  }

  /** Writes bytes. */
  @InCoroutine
  public static void write(Edge file, long offset, byte[] bytes) throws BlockException {
    if (bytes.length == 0) {
      return;
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(bytes.length);
      memory.copyFrom(MemorySegment.ofArray(bytes));
      file.write(offset, IoVector.of(memory), RequestFlags.NONE);
    }
  }

  /** The numbers of a table. */
  @AnyThread
  public static long[] longs(byte[] bigEndian) {
    long[] numbers = new long[bigEndian.length / Long.BYTES];
    ByteBuffer.wrap(bigEndian).asLongBuffer().get(numbers);
    return numbers;
  }

  /** A table of numbers. */
  @AnyThread
  public static byte[] bigEndian(long[] numbers) {
    byte[] bytes = new byte[numbers.length * Long.BYTES];
    ByteBuffer.wrap(bytes).asLongBuffer().put(numbers);
    return bytes;
  }
}
