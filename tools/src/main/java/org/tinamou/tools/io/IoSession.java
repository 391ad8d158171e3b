package org.tinamou.tools.io;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ProbeWarning;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/** The image that is open, if any, and the requests under way. Coroutines of one loop. */
final class IoSession {
  private static final int MISALIGNMENT_BYTES = 16;

  private final AioContext context;
  private final Console console;
  private final boolean misalign;
  private final ObjectRegistry objects;
  private final ArrayDeque<Coroutine> pending = new ArrayDeque<>();
  private @Nullable OpenImage image;

  IoSession(AioContext context, Console console, boolean misalign, ObjectRegistry objects) {
    this.context = context;
    this.console = console;
    this.misalign = misalign;
    this.objects = objects;
  }

  AioContext context() {
    return context;
  }

  /** The loop's time, for reports on how long a command took. */
  long nanos() {
    return context.clocks().nanos(ClockType.REALTIME);
  }

  Console console() {
    return console;
  }

  boolean hasImage() {
    return image != null;
  }

  OpenImage image() {
    return Objects.requireNonNull(image);
  }

  /**
   * Opens an image; fails if there is one.
   *
   * @param name null if the options say it all
   */
  void open(@Nullable String name, IoOptions wanted) throws ToolException {
    if (image != null) {
      throw new ToolException("file open already, try 'help close'");
    }
    OpenImage opened;
    try {
      opened = OpenImage.open(context, wanted.request(name).under(console.imagePolicy()), objects);
    } catch (BlockException e) {
      throw ToolException.of(IoOptions.refusal(name), e);
    }
    try {
      wanted.check(name, opened);
    } catch (ToolException e) {
      opened.close();
      throw e;
    }
    if (opened.isGuessedRaw() && opened.isWritable()) {
      ProbeWarning.print(console, opened.name());
    }
    image = opened;
  }

  /** Finishes what is under way and lets go of the image. */
  void close() {
    drain();
    if (image != null) {
      image.flushAndClose();
      image = null;
    }
  }

  /** Starts a request that ends by itself. */
  void start(String name, Coroutine.Body body) {
    pending.removeIf(Coroutine::isEnded);
    pending.add(context.spawn(name, body));
  }

  /** Waits for all requests. */
  void drain() {
    while (!pending.isEmpty()) {
      pending.remove().join();
    }
  }

  /** A buffer of zeroes for one request, aligned unless the user wants it otherwise. */
  MemorySegment buffer(Arena arena, long sizeBytes) {
    if (!misalign) {
      return AlignedMemory.allocate(arena, Math.max(sizeBytes, 1)).asSlice(0, sizeBytes);
    }
    return AlignedMemory.allocate(arena, sizeBytes + MISALIGNMENT_BYTES)
        .asSlice(MISALIGNMENT_BYTES, sizeBytes);
  }

  /** Slices of a buffer, one behind the other. */
  static List<MemorySegment> split(MemorySegment buffer, long[] counts) {
    List<MemorySegment> parts = new ArrayList<>();
    long offset = 0;
    for (long count : counts) {
      parts.add(buffer.asSlice(offset, count));
      offset += count;
    }
    return parts;
  }
}
