package org.tinamou.api;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.DetectZeroes;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.FileNames;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.qapi.Json;

/**
 * An open disk image: bytes from 0 to its size, whatever the format they are stored in.
 *
 * <p>Safe for use by any thread; any number of requests may be under way, and those that overlap
 * end in some order. The methods that return a value wait for it; those that return a future do
 * not. Offsets and lengths are in bytes, need no alignment and must lie inside of the disk, or the
 * request fails with EIO.
 *
 * <p>Buffers stay the caller's and must not be touched until the request has ended. Heap buffers
 * are copied; off-heap ones are used as they are, and must not belong to a confined arena.
 *
 * <p>All errors are {@link DiskException}s; futures end with one as their cause.
 */
public final class VirtualDisk implements AutoCloseable {
  private final DiskRuntime runtime;
  private final BlockBackend backend;
  private final BlockNode node;
  private volatile boolean closed;

  private VirtualDisk(DiskRuntime runtime, BlockBackend backend, BlockNode node) {
    this.runtime = runtime;
    this.backend = backend;
    this.node = node;
  }

  /** Opens the image in a host file for reading and writing; its format is found out. */
  public static VirtualDisk open(Path image) throws DiskException {
    return open(DiskOptions.of(image));
  }

  /** Opens an image. */
  public static VirtualDisk open(DiskOptions options) throws DiskException {
    return DiskRuntime.shared().open(options);
  }

  static VirtualDisk open(DiskRuntime runtime, DiskOptions options) throws DiskException {
    return ForeignThread.await(runtime.onMain("open disk", () -> openOnMain(runtime, options)));
  }

  private static VirtualDisk openOnMain(DiskRuntime runtime, DiskOptions options)
      throws BlockException, DiskException {
    NodeOpener opener = runtime.opener(options.secrets());
    int permissions =
        options.readOnly()
            ? Permission.CONSISTENT_READ
            : Permission.CONSISTENT_READ | Permission.WRITE | Permission.RESIZE;
    int shared = options.forceShare() ? Permission.ALL : Permission.DEFAULT_SHARED;
    BlockBackend backend =
        new BlockBackend(runtime.graph(), "", runtime.main(), permissions, shared);
    backend.setWriteThrough(options.writeThrough());
    BlockNode node;
    try {
      node =
          opener
              .under(options.policy().toImagePolicy())
              .open(address(options), nodeOptions(options), runtime.main());
    } catch (BlockException e) {
      backend.close();
      throw e;
    }
    try {
      backend.insert(node);
    } catch (BlockException e) {
      backend.close();
      throw e;
    } finally {
      runtime.graph().release(node);
    }
    return new VirtualDisk(runtime, backend, node);
  }

  private static ImageAddress address(DiskOptions options) {
    Json.Members members = new Json.Members();
    String format = options.format();
    if (format != null) {
      members.put("driver", format);
    }
    options.options().forEach(members::put);
    String name = options.name();
    return name == null
        ? ImageAddress.ofOptions(members)
        : new ImageAddress(name, members, ImageAddress.ofOptions(members).style());
  }

  private static NodeOptions nodeOptions(DiskOptions options) {
    return new NodeOptions(
        options.readOnly(),
        false,
        options.cacheDirect(),
        options.cacheNoFlush(),
        options.discard(),
        DetectZeroes.OFF,
        options.forceShare());
  }

  // ------------------------------------------------------------------------------------- asking

  /** The name by which the image can be opened again; {@code json:{…}} if it needs options. */
  public String name() {
    return FileNames.of(node);
  }

  /** The format, e.g. "raw". */
  public String format() {
    BlockDriver driver = node.driverOrNull();
    return driver == null ? "" : driver.formatName();
  }

  public boolean isReadOnly() {
    return node.isReadOnly();
  }

  /** The size of the disk, a multiple of 512. */
  public long sizeBytes() throws DiskException {
    try {
      return backend.lengthBytes();
    } catch (BlockException e) {
      throw DiskException.of(e);
    }
  }

  /**
   * What is known of all bytes of the disk, in order, without reading them. Asked for as the
   * iteration goes on, which throws {@link java.io.UncheckedIOException} if that fails.
   */
  public Iterable<DiskExtent> extents() throws DiskException {
    return extents(0, sizeBytes());
  }

  /** As {@link #extents()}, for a range. */
  public Iterable<DiskExtent> extents(long offsetBytes, long lengthBytes) {
    return () -> new ExtentIterator(this, offsetBytes, offsetBytes + lengthBytes);
  }

  /** The first extent of a range. */
  DiskExtent extentAt(long offset, long length) throws DiskException {
    return ForeignThread.await(
        start(
            "status",
            () -> {
              BlockStatus status = backend.status(offset, length, true);
              boolean zero = status.has(BlockStatus.ZERO);
              boolean data = status.has(BlockStatus.DATA);
              DiskExtent.Kind kind =
                  !zero ? DiskExtent.Kind.DATA : data ? DiskExtent.Kind.ZERO : DiskExtent.Kind.HOLE;
              return new DiskExtent(offset, status.lengthBytes(), kind);
            }));
  }

  // ----------------------------------------------------------------------------------- requests

  /** Starts a coroutine in the disk's loop; its failures become {@link DiskException}s. */
  private <T> CompletableFuture<T> start(String what, Callable<T> body) {
    if (closed) {
      return CompletableFuture.failedFuture(
          new DiskException(Errno.ENOMEDIUM, "the disk is closed", null, null));
    }
    return DiskRuntime.on(
        backend.context(),
        what,
        () -> {
          try {
            return body.call();
          } catch (BlockException e) {
            throw DiskException.of(e);
          }
        });
  }

  /** Fills the rest of a buffer; its position goes to its limit when that has succeeded. */
  public void read(long offsetBytes, ByteBuffer buffer) throws DiskException {
    ForeignThread.await(readAsync(offsetBytes, buffer));
  }

  /** As {@link #read(long, ByteBuffer)}. */
  public CompletableFuture<Void> readAsync(long offsetBytes, ByteBuffer buffer) {
    Check.argument(!buffer.isReadOnly(), "the buffer to read into is read-only");
    if (buffer.isDirect()) {
      return readAsync(offsetBytes, MemorySegment.ofBuffer(buffer))
          .thenRun(() -> buffer.position(buffer.limit()));
    }
    return start("read", () -> readHeap(offsetBytes, buffer));
  }

  private @Nullable Void readHeap(long offset, ByteBuffer buffer) throws BlockException {
    MemorySegment target = MemorySegment.ofBuffer(buffer);
    MemorySegment bounce = runtime.buffers().take();
    try {
      for (long done = 0; done < target.byteSize(); done += TransferBuffers.BUFFER_BYTES) {
        long length = Math.min(TransferBuffers.BUFFER_BYTES, target.byteSize() - done);
        MemorySegment part = bounce.asSlice(0, length);
        backend.read(offset + done, IoVector.of(part), RequestFlags.NONE);
        target.asSlice(done, length).copyFrom(part);
      }
    } finally {
      runtime.buffers().give(bounce);
    }
    buffer.position(buffer.limit());
    return null;
  }

  /** Fills off-heap memory. */
  public void read(long offsetBytes, MemorySegment buffer) throws DiskException {
    ForeignThread.await(readAsync(offsetBytes, buffer));
  }

  /** As {@link #read(long, MemorySegment)}. */
  public CompletableFuture<Void> readAsync(long offsetBytes, MemorySegment buffer) {
    requireShared(buffer);
    return start(
        "read",
        () -> {
          backend.read(offsetBytes, IoVector.of(buffer), RequestFlags.NONE);
          return null;
        });
  }

  private static void requireShared(MemorySegment buffer) {
    Check.argument(buffer.isNative(), "the memory is on the heap; give it as a ByteBuffer");
    // A loop's thread is none that the caller could have confined the memory to.
    Check.argument(
        buffer.isAccessibleBy(new Thread(() -> {})),
        "the memory belongs to an arena that is confined to one thread");
  }

  /** Stores the rest of a buffer; its position goes to its limit when that has succeeded. */
  public void write(long offsetBytes, ByteBuffer buffer) throws DiskException {
    ForeignThread.await(writeAsync(offsetBytes, buffer));
  }

  /** As {@link #write(long, ByteBuffer)}. */
  public CompletableFuture<Void> writeAsync(long offsetBytes, ByteBuffer buffer) {
    if (buffer.isDirect()) {
      return writeAsync(offsetBytes, MemorySegment.ofBuffer(buffer))
          .thenRun(() -> buffer.position(buffer.limit()));
    }
    return start("write", () -> writeHeap(offsetBytes, buffer));
  }

  private @Nullable Void writeHeap(long offset, ByteBuffer buffer) throws BlockException {
    MemorySegment source = MemorySegment.ofBuffer(buffer);
    MemorySegment bounce = runtime.buffers().take();
    try {
      for (long done = 0; done < source.byteSize(); done += TransferBuffers.BUFFER_BYTES) {
        long length = Math.min(TransferBuffers.BUFFER_BYTES, source.byteSize() - done);
        MemorySegment part = bounce.asSlice(0, length);
        part.copyFrom(source.asSlice(done, length));
        backend.write(offset + done, IoVector.of(part), RequestFlags.NONE);
      }
    } finally {
      runtime.buffers().give(bounce);
    }
    buffer.position(buffer.limit());
    return null;
  }

  /** Stores off-heap memory. */
  public void write(long offsetBytes, MemorySegment buffer) throws DiskException {
    ForeignThread.await(writeAsync(offsetBytes, buffer));
  }

  /** As {@link #write(long, MemorySegment)}. */
  public CompletableFuture<Void> writeAsync(long offsetBytes, MemorySegment buffer) {
    requireShared(buffer);
    return start(
        "write",
        () -> {
          backend.write(offsetBytes, IoVector.of(buffer), RequestFlags.NONE);
          return null;
        });
  }

  /**
   * Makes a range read as zeroes.
   *
   * @param mayUnmap whether its space may be given back
   */
  public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap)
      throws DiskException {
    ForeignThread.await(writeZeroesAsync(offsetBytes, lengthBytes, mayUnmap));
  }

  /** As {@link #writeZeroes}. */
  public CompletableFuture<Void> writeZeroesAsync(
      long offsetBytes, long lengthBytes, boolean mayUnmap) {
    int flags = mayUnmap ? RequestFlags.MAY_UNMAP : RequestFlags.NONE;
    return start(
        "write zeroes",
        () -> {
          backend.writeZeroes(offsetBytes, lengthBytes, flags);
          return null;
        });
  }

  /** Gives the space of a range back if that is possible; what it reads as then is undefined. */
  public void discard(long offsetBytes, long lengthBytes) throws DiskException {
    ForeignThread.await(discardAsync(offsetBytes, lengthBytes));
  }

  /** As {@link #discard}. */
  public CompletableFuture<Void> discardAsync(long offsetBytes, long lengthBytes) {
    return start(
        "discard",
        () -> {
          backend.discard(offsetBytes, lengthBytes);
          return null;
        });
  }

  /** Makes every write that has ended survive a crash of the host. */
  public void flush() throws DiskException {
    ForeignThread.await(flushAsync());
  }

  /** As {@link #flush}. */
  public CompletableFuture<Void> flushAsync() {
    return start(
        "flush",
        () -> {
          backend.flush();
          return null;
        });
  }

  /** Changes the size; a new part reads as zeroes, what was behind a new end is lost. */
  public void resize(long sizeBytes) throws DiskException {
    ForeignThread.await(
        runtime.onMain(
            "resize",
            () -> {
              backend.truncate(sizeBytes, true, PreallocationMode.OFF);
              return true;
            }));
  }

  /**
   * The disk as a channel, which ends where the disk does and does not grow it. Closing it flushes,
   * unless the disk is read-only, and leaves the disk open. For one thread at a time.
   */
  public SeekableByteChannel channel() {
    return new DiskChannel(this);
  }

  // ------------------------------------------------------------------------- for those who need it

  /**
   * Lets no request run until the result is closed: those under way have ended when this returns,
   * new ones wait.
   */
  public DrainedDisk drain() throws DiskException {
    DrainedSection section =
        ForeignThread.await(runtime.onMain("drain", () -> node.drain("the program")));
    return new DrainedDisk(runtime, section);
  }

  /** A disk on which nothing runs. */
  public static final class DrainedDisk implements AutoCloseable {
    private final DiskRuntime runtime;
    private final DrainedSection section;
    private boolean closed;

    private DrainedDisk(DiskRuntime runtime, DrainedSection section) {
      this.runtime = runtime;
      this.section = section;
    }

    /** Lets requests run again. For the thread that drained the disk. Idempotent. */
    @Override
    public void close() throws DiskException {
      if (!closed) {
        closed = true;
        ForeignThread.await(
            runtime.onMain(
                "end of drain",
                () -> {
                  section.close();
                  return true;
                }));
      }
    }
  }

  /** Has the disk's requests run on another thread from now on; those under way end first. */
  public void moveTo(DiskLoop loop) throws DiskException {
    AioContext target = loop.thread().context();
    ForeignThread.await(
        runtime.onMain(
            "move disk",
            () -> {
              backend.moveToContext(target);
              return true;
            }));
  }

  /**
   * Flushes what was written and lets go of the image; requests under way end first. Idempotent.
   */
  @Override
  public void close() throws DiskException {
    if (closed) {
      return;
    }
    closed = true;
    runtime.forget(this);
    ForeignThread.await(runtime.onMain("close disk", this::closeOnMain));
  }

  private boolean closeOnMain() throws BlockException {
    try {
      if (!node.isReadOnly()) {
        backend.flush();
      }
    } finally {
      backend.close();
    }
    return true;
  }

  @Override
  public String toString() {
    return format() + " disk " + name();
  }
}
