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
import org.tinamou.block.Permission;
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
  private final @Nullable ArrayDeque<Coroutine> others;
  private @Nullable OpenImage image;

  IoSession(AioContext context, Console console, boolean misalign, ObjectRegistry objects) {
    this.context = context;
    this.console = console;
    this.misalign = misalign;
    this.objects = objects;
    this.others = null;
  }

  /**
   * One for an image that others have opened and will close.
   *
   * @param others what further such sessions have under way
   */
  IoSession(AioContext context, Console console, OpenImage image, ArrayDeque<Coroutine> others) {
    this.context = context;
    this.console = console;
    this.misalign = false;
    this.objects = ObjectRegistry.none();
    this.others = others;
    this.image = image;
  }

  /** Whether a command can be used: an image of somebody else is neither opened nor closed. */
  boolean offers(IoCommand command) {
    return others == null || !IoCommand.ONLY_WITH_OWN_IMAGE.contains(command.name());
  }

  /** Sees to it that the command may do with the image what it is going to do. */
  void prepare(IoCommand command) throws ToolException {
    if (others == null || !command.movesData()) {
      return;
    }
    try {
      image().require(command.writes() ? Permission.WRITE : Permission.CONSISTENT_READ);
    } catch (BlockException e) {
      throw ToolException.of("", e);
    }
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
    if (others == null) {
      pending.add(context.spawn(name, body));
      return;
    }
    Coroutine request =
        context.spawn(
            name,
            () -> {
              body.run();
              console.out().flush();
            });
    pending.add(request);
    others.removeIf(Coroutine::isEnded);
    others.add(request);
  }

  /** Waits for all requests. */
  void drain() {
    awaitAll(pending);
    if (others != null) {
      awaitAll(others);
    }
  }

  /** Waits for what this session has begun. */
  void drainOwn() {
    awaitAll(pending);
  }

  private static void awaitAll(ArrayDeque<Coroutine> requests) {
    while (!requests.isEmpty()) {
      requests.remove().join();
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
