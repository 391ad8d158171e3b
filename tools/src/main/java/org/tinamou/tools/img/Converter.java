package org.tinamou.tools.img;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.MappedImage;
import org.tinamou.tools.image.OpenImage;

/**
 * Copies images into another: several coroutines, of one loop or of several, take the next piece
 * and read it. Where pieces are written in order, one coroutine at a time writes those that come
 * next, whoever read them. Nothing but the pieces' buffers is held in memory.
 */
final class Converter {
  private static final int PIECE_BYTES = 2 << 20;
  private static final int PAGE_BYTES = 4096;

  /** So many pieces may wait to be written, for each thread that reads. */
  private static final int PLACES_PER_THREAD = 4;

  private static final int LARGEST_UNIT_BYTES = 64 << 10;
  private static final long ZERO_PIECE_BYTES = 1L << 30;

  /** How much is copied at most before that is kept for a later run. */
  private static final long RECORD_BYTES = 64L << 20;

  /** What becomes of a part of the source. */
  private enum Kind {
    DATA,
    ZERO,
    /** The image below the target has it. */
    BELOW
  }

  /** The next part of the source and its place in the order of writing. */
  private record Piece(long offset, long length, Kind kind, long turn) {
    boolean data() {
      return kind == Kind.DATA;
    }
  }

  /** What one piece needs until it is written. */
  private static final class Workplace {
    private final Arena arena;
    private final PieceRuns runs = new PieceRuns();
    private @Nullable MemorySegment buffer;

    Workplace(Arena arena) {
      this.arena = arena;
    }

    MemorySegment buffer(long lengthBytes) {
      MemorySegment whole = buffer;
      if (whole == null) {
        whole = AlignedMemory.allocate(arena, PIECE_BYTES);
        buffer = whole;
      }
      return whole.asSlice(0, lengthBytes);
    }
  }

  /**
   * A piece that can be written.
   *
   * @param bytes null if there are none, or the host is to copy them
   * @param mapped where they are, if that is not the workplace
   */
  private record Prepared(
      Piece piece,
      Workplace place,
      @Nullable MemorySegment bytes,
      MappedImage.@Nullable Place mapped) {}

  private final CopyLoops loops;
  private final Console console;
  private final SourceChain source;
  private final OpenImage target;
  private final ConvertPlan plan;
  private final Progress progress;
  private final BooleanSupplier stopAsked;
  private final @Nullable ResumeRecord record;
  private final boolean inOrder;
  private final int unitBytes;
  private final long clusterBytes;

  private final CoMutex taking = new CoMutex("next piece");
  private final WritingOrder<Prepared> order = new WritingOrder<>();
  private final CoQueue placesGiven = new CoQueue("place for a piece");
  private final ConcurrentLinkedQueue<Workplace> places = new ConcurrentLinkedQueue<>();
  private long nextOffset;
  private long nextTurn;
  private @Nullable Extent current;
  private long currentEnd;
  private long dataBytes;
  private final ReentrantLock telling = new ReentrantLock();
  private long copiedBytes;
  private long startNanos;
  private volatile boolean offloading;
  private final AtomicReference<@Nullable ToolException> failure = new AtomicReference<>();

  Converter(
      CopyLoops loops,
      Console console,
      SourceChain source,
      OpenImage target,
      ConvertPlan plan,
      Progress progress,
      BooleanSupplier stopAsked,
      @Nullable ResumeRecord record) {
    this.loops = loops;
    this.console = console;
    this.source = source;
    this.target = target;
    this.plan = plan;
    this.progress = progress;
    this.stopAsked = stopAsked;
    this.record = record;
    // In a raw file of the host's cache each byte has its place, whenever it is written.
    boolean placed = loops.areThreads() && target.format().equals(ImageFormats.RAW);
    boolean seen = progress.isShown() || record != null;
    this.inOrder = plan.inOrder() && (seen || !placed);
    this.nextOffset = record == null ? 0 : record.doneBytes();
    this.offloading = plan.offload();
    this.clusterBytes = plan.compressed() ? target.clusterBytes() : 0;
    long unit = Long.highestOneBit(Math.max(plan.sparseBytes(), OpenImage.SECTOR_BYTES));
    this.unitBytes = (int) Math.min(unit, LARGEST_UNIT_BYTES);
  }

  /**
   * Copies everything, or throws the first failure once all coroutines have stopped.
   *
   * @return false if it was asked to stop before it was done
   */
  boolean convert() throws ToolException {
    progress.uncounted("looking for data");
    dataBytes = countData();
    progress.phase("copying", dataBytes);
    startNanos = Coroutine.current().context().clocks().nanos(ClockType.REALTIME);
    try (Arena arena = Arena.ofShared()) {
      map(arena);
      List<AioContext.Forked<Boolean>> workers = new ArrayList<>();
      int coroutines = loops.coroutines(plan.workers());
      int placesEach = loops.areThreads() ? PLACES_PER_THREAD : 1;
      for (int index = 0; index < coroutines * placesEach; index++) {
        places.add(new Workplace(arena));
      }
      for (int index = 0; index < coroutines; index++) {
        workers.add(loops.of(index).fork("convert " + index, this::work));
      }
      // Their buffers go with the arena: all have to end, however they do.
      for (AioContext.Forked<Boolean> worker : workers) {
        worker.coroutine().join();
      }
      for (AioContext.Forked<Boolean> worker : workers) {
        join(worker);
      }
    }
    ToolException failed = failure.get();
    if (failed != null) {
      throw failed;
    }
    progress.phase("flushing");
    try {
      target.flush();
    } catch (BlockException e) {
      throw new ToolException("error while flushing: " + e.errno().message());
    }
    if (record != null && nextOffset < source.lengthBytes()) {
      record.reached(nextOffset); // whoever had taken a piece has finished it
    }
    return nextOffset >= source.lengthBytes();
  }

  /**
   * Between files in the host's cache what is read need not be copied first. What cannot be read is
   * found by looking at the first bytes of each unit, which therefore lies in one page; and who
   * wants to save what can be read has to ask for each sector.
   */
  private void map(Arena arena) throws ToolException {
    if (loops.areThreads() && !plan.salvage() && !offloading && unitBytes <= PAGE_BYTES) {
      try {
        source.map(arena);
      } catch (BlockException e) {
        throw new ToolException("error while reading: " + e.errno().message());
      }
    }
  }

  private void join(AioContext.Forked<Boolean> worker) {
    try {
      worker.join();
    } catch (ToolException e) {
      fail(e);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private void fail(ToolException reason) {
    failure.compareAndSet(null, reason);
    placesGiven.wakeAll();
  }

  private long countData() throws ToolException {
    long bytes = 0;
    for (long offset = nextOffset; offset < source.lengthBytes() && !stopAsked.getAsBoolean(); ) {
      Extent extent = extentAt(offset);
      if (kind(extent, offset) == Kind.DATA) {
        bytes += extent.lengthBytes();
      }
      offset += extent.lengthBytes();
    }
    return bytes;
  }

  private Kind kind(Extent extent, long offset) {
    if (plan.hasBacking()) {
      if (extent.zero() && offset < plan.backingBytes()) {
        return plan.sparseBytes() == 0 ? Kind.DATA : Kind.ZERO;
      }
      return extent.data() && !extent.zero() ? Kind.DATA : Kind.BELOW;
    }
    return extent.isContent() || plan.sparseBytes() == 0 ? Kind.DATA : Kind.ZERO;
  }

  private Extent extentAt(long offset) throws ToolException {
    Extent extent;
    try {
      extent = source.extentAt(offset, plan.hasBacking());
    } catch (BlockException e) {
      throw new ToolException(
          "error while reading block status at offset " + offset + ": " + e.errno().message());
    }
    long belowEnd = plan.backingBytes();
    return offset < belowEnd && offset + extent.lengthBytes() > belowEnd
        ? extent.atMost(belowEnd - offset)
        : extent;
  }

  private Boolean work() throws ToolException {
    try {
      for (Workplace place = awaitPlace(); place != null; place = awaitPlace()) {
        Piece piece = take();
        if (piece == null) {
          give(place);
          break;
        }
        handle(piece, place);
      }
    } catch (ToolException e) {
      fail(e);
    } catch (RuntimeException | Error e) {
      fail(new ToolException("internal error: " + e));
      throw e;
    }
    return true;
  }

  /** A place comes before a piece: whoever has one can write it, so that others get theirs. */
  private @Nullable Workplace awaitPlace() {
    Workplace place = null;
    while (failure.get() == null && (place = places.poll()) == null) {
      placesGiven.awaitUnless(() -> !places.isEmpty() || failure.get() != null);
    }
    return place;
  }

  private void give(Workplace place) {
    places.add(place);
    placesGiven.wakeOne();
  }

  private @Nullable Piece take() throws ToolException {
    taking.lock();
    try {
      while (failure.get() == null
          && !stopAsked.getAsBoolean()
          && nextOffset < source.lengthBytes()) {
        if (current == null || nextOffset >= currentEnd) {
          current = extentAt(nextOffset);
          currentEnd = nextOffset + current.lengthBytes();
        }
        Kind kind = kind(current, nextOffset);
        long length = currentEnd - nextOffset;
        if (plan.compressed()) {
          // Clusters are compressed as a whole, whatever their parts are.
          if (length < clusterBytes) {
            kind = Kind.DATA;
            length = Math.min(clusterBytes, source.lengthBytes() - nextOffset);
          } else {
            length -= length % clusterBytes;
          }
        }
        length = Math.min(length, kind == Kind.DATA ? PIECE_BYTES : ZERO_PIECE_BYTES);
        long offset = nextOffset;
        nextOffset += length;
        if (kind == Kind.DATA || kind == Kind.ZERO && !plan.targetIsZero()) {
          return new Piece(offset, length, kind, nextTurn++);
        }
      }
      return null;
    } finally {
      taking.unlock();
    }
  }

  private void handle(Piece piece, Workplace place) throws ToolException {
    Prepared prepared;
    try {
      prepared = prepare(piece, place);
    } catch (InternalError e) {
      throw readFailed(piece.offset(), Errno.EIO); // memory of a file that is not there any more
    }
    if (!inOrder) {
      finish(prepared);
      return;
    }
    for (Prepared next = order.bring(piece.turn(), prepared);
        next != null && failure.get() == null;
        next = order.done()) {
      finish(next);
    }
  }

  private Prepared prepare(Piece piece, Workplace place) throws ToolException {
    if (!piece.data() || offloading) {
      return new Prepared(piece, place, null, null);
    }
    MappedImage.Place mapped = placeOf(piece);
    MemorySegment bytes;
    if (mapped == null) {
      bytes = place.buffer(piece.length());
      read(bytes, piece.offset());
    } else {
      bytes = mapped.bytes();
      mapped.announce(2L * PIECE_BYTES);
    }
    lookForZeroes(bytes, piece.offset(), place.runs);
    if (plan.compressed()) {
      packAhead(bytes, piece.offset());
    }
    return new Prepared(piece, place, bytes, mapped);
  }

  /** Writes a piece, when its turn has come if there are turns. */
  private void finish(Prepared prepared) throws ToolException {
    Piece piece = prepared.piece();
    try {
      if (piece.data()) {
        writePiece(prepared);
      } else {
        zero(piece.offset(), piece.length());
      }
    } catch (InternalError e) {
      throw readFailed(piece.offset(), Errno.EIO);
    }
    keep(piece.offset() + piece.length());
    if (piece.data()) {
      copied(piece.length()); // within the turn, so that progress is told in order
    }
    if (prepared.mapped() != null) {
      prepared.mapped().done();
    }
    give(prepared.place());
  }

  private void writePiece(Prepared prepared) throws ToolException {
    Piece piece = prepared.piece();
    MemorySegment bytes = prepared.bytes();
    if (bytes == null) {
      if (offload(piece.offset(), piece.length())) {
        return;
      }
      bytes = prepared.place().buffer(piece.length());
      read(bytes, piece.offset());
      lookForZeroes(bytes, piece.offset(), prepared.place().runs);
    }
    write(bytes, piece.offset(), prepared.place().runs);
  }

  private MappedImage.@Nullable Place placeOf(Piece piece) throws ToolException {
    try {
      return source.placeOf(piece.offset(), piece.length());
    } catch (BlockException e) {
      throw readFailed(piece.offset(), e.errno());
    }
  }

  /** Everything up to there is written; from time to time that is kept for a later run. */
  private void keep(long reached) throws ToolException {
    ResumeRecord kept = record;
    if (kept == null || reached - kept.doneBytes() < RECORD_BYTES) {
      return;
    }
    try {
      target.flush();
    } catch (BlockException e) {
      throw new ToolException("error while flushing: " + e.errno().message());
    }
    Coroutine.current()
        .context()
        .callBlocking(
            () -> {
              kept.reached(reached);
              return true;
            });
  }

  private void read(MemorySegment buffer, long offset) throws ToolException {
    try {
      source.read(IoVector.of(buffer), offset);
    } catch (BlockException e) {
      if (!plan.salvage()) {
        throw readFailed(offset, e.errno());
      }
      salvage(buffer, offset);
    }
  }

  /** Reads what can be read, sector by sector. */
  private void salvage(MemorySegment buffer, long offset) {
    for (long done = 0; done < buffer.byteSize(); done += OpenImage.SECTOR_BYTES) {
      long length = Math.min(OpenImage.SECTOR_BYTES, buffer.byteSize() - done);
      MemorySegment sector = buffer.asSlice(done, length);
      try {
        source.read(IoVector.of(sector), offset + done);
      } catch (BlockException e) {
        sector.fill((byte) 0);
        console.warning(
            "error while reading offset " + (offset + done) + ": " + e.errno().message());
      }
    }
  }

  private void lookForZeroes(MemorySegment bytes, long offset, PieceRuns runs) {
    if (plan.compressed()) {
      return; // that looks at whole clusters
    }
    if (plan.sparseBytes() == 0) {
      runs.all(bytes.byteSize());
    } else {
      runs.find(bytes, unitBytes, offset, plan.sparseBytes());
    }
  }

  private void write(MemorySegment bytes, long offset, PieceRuns runs) throws ToolException {
    if (plan.compressed()) {
      writeCompressed(bytes, offset);
      return;
    }
    runs.tell(
        new PieceRuns.Taker<ToolException>() {
          @Override
          public void data(long start, long lengthBytes) throws ToolException {
            writeData(bytes, start, lengthBytes, offset);
          }

          @Override
          public void zeroes(long start, long lengthBytes) throws ToolException {
            if (!plan.targetIsZero()) {
              zero(offset + start, lengthBytes);
            }
          }
        });
  }

  private boolean isLeftOut(MemorySegment cluster) {
    return plan.sparseBytes() > 0 && ZeroRuns.isZero(cluster);
  }

  /** While others have their turn, what is to be written is packed. */
  private void packAhead(MemorySegment bytes, long offset) {
    long end;
    for (long start = 0; start < bytes.byteSize(); start = end + clusterBytes) {
      end = start;
      while (end + clusterBytes <= bytes.byteSize()
          && !isLeftOut(bytes.asSlice(end, clusterBytes))) {
        end += clusterBytes;
      }
      if (end > start) {
        target.packAhead(bytes.asSlice(start, end - start), offset + start);
      }
    }
  }

  private void writeCompressed(MemorySegment bytes, long offset) throws ToolException {
    for (long done = 0; done < bytes.byteSize(); done += clusterBytes) {
      MemorySegment cluster = bytes.asSlice(done, Math.min(clusterBytes, bytes.byteSize() - done));
      if (isLeftOut(cluster)) {
        if (!plan.targetIsZero()) {
          zero(offset + done, cluster.byteSize());
        }
        continue;
      }
      try {
        target.writeCompressed(IoVector.of(cluster), offset + done);
      } catch (BlockException e) {
        throw writeFailed(offset + done, e);
      }
    }
  }

  private void writeData(MemorySegment bytes, long start, long length, long offset)
      throws ToolException {
    try {
      target.write(IoVector.of(bytes.asSlice(start, length)), offset + start);
    } catch (BlockException e) {
      throw writeFailed(offset + start, e);
    }
  }

  private void zero(long offset, long length) throws ToolException {
    try {
      target.writeZeroes(offset, length, true, false);
    } catch (BlockException e) {
      throw writeFailed(offset, e);
    }
  }

  private static ToolException readFailed(long offset, Errno errno) {
    return new ToolException("error while reading at byte " + offset + ": " + errno.message());
  }

  private static ToolException writeFailed(long offset, BlockException cause) {
    return new ToolException(
        "error while writing at byte " + offset + ": " + cause.errno().message());
  }

  /** Lets the host copy; it is not asked again once it cannot. */
  private boolean offload(long offset, long length) throws ToolException {
    boolean copied = false;
    try {
      copied = source.copyTo(target, offset, length);
    } catch (BlockException e) {
      if (e.errno() == Errno.ENOSPC || e.errno() == Errno.EIO) {
        throw writeFailed(offset, e);
      }
    }
    if (!copied) {
      offloading = false;
    }
    return copied;
  }

  private void copied(long length) {
    long copied;
    telling.lock();
    try {
      copiedBytes += length;
      copied = copiedBytes;
      progress.set(copied, dataBytes);
    } finally {
      telling.unlock();
    }
    if (plan.bytesPerSecond() > 0) {
      AioContext context = Coroutine.current().context();
      double dueSeconds = (double) copied / plan.bytesPerSecond();
      long elapsed = context.clocks().nanos(ClockType.REALTIME) - startNanos;
      long early = (long) (dueSeconds * 1e9) - elapsed;
      if (early > 0) {
        context.sleep(ClockType.REALTIME, early);
      }
    }
  }
}
