package org.tinamou.drivers.filter.quorum;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.NodeEvent;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.ReopenChange;
import org.tinamou.drivers.ChangeableChildren;
import org.tinamou.drivers.MemoryPool;

/**
 * Makes every request to all children and goes by what most of them say. Whoever fails or says
 * something else is told of in an event; too few that agree are an error.
 */
public final class QuorumDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.StatusSource,
        BlockDriver.PermissionMapper,
        BlockDriver.Reopenable,
        ChangeableChildren {
  private static final int SECTOR_BYTES = 512;
  private static final int MAX_TRANSFER_BYTES = 1 << 20;
  private static final BlockLimits LIMITS =
      new BlockLimits(SECTOR_BYTES, 1, MAX_TRANSFER_BYTES, 0, 1, 0, 1);

  private final BlockNode node;
  private final QuorumSettings settings;
  private final long lengthBytes;

  /** Replaced while the node is drained. */
  private volatile List<Edge> children;

  /** What all but the first child read, in one piece each time. */
  private volatile MemoryPool buffers;

  private int nextName;

  /**
   * @param edges to the children
   * @throws BlockException if they are not of the same size
   */
  QuorumDriver(BlockNode node, QuorumSettings settings, List<Edge> edges) throws BlockException {
    this.node = node;
    this.settings = settings;
    this.children = List.copyOf(edges);
    this.nextName = edges.size();
    this.lengthBytes = edges.getFirst().lengthBytes();
    for (Edge edge : edges) {
      if (edge.lengthBytes() != lengthBytes) {
        throw new BlockException(
            Errno.EIO, "Could not refresh total sector count: Input/output error");
      }
    }
    this.buffers = poolFor(edges.size());
  }

  private static MemoryPool poolFor(int count) {
    return new MemoryPool(Math.max(1, count - 1) * MAX_TRANSFER_BYTES);
  }

  /** What is done with one child. */
  @FunctionalInterface
  private interface Part {
    void run(Edge child, int number) throws BlockException;
  }

  @Override
  public String formatName() {
    return "quorum";
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public BlockLimits limits() {
    return LIMITS;
  }

  // -------------------------------------------------------------------------- asking all of them

  /**
   * Does something with all children at the same time; their failures, null where there is none.
   */
  @InCoroutine
  private static List<@Nullable BlockException> outcomes(List<Edge> all, Part part) {
    AioContext here = Coroutine.current().context();
    List<AioContext.Forked<@Nullable BlockException>> others = new ArrayList<>();
    for (int i = 1; i < all.size(); i++) {
      int number = i;
      others.add(here.fork("quorum child " + i, () -> outcome(part, all.get(number), number)));
    }
    List<@Nullable BlockException> outcomes = new ArrayList<>();
    outcomes.add(outcome(part, all.getFirst(), 0));
    for (AioContext.Forked<@Nullable BlockException> other : others) {
      try {
        outcomes.add(other.join());
      } catch (Exception e) {
        throw new IllegalStateException("an outcome is no exception", e);
      }
    }
    return outcomes;
  }

  private static @Nullable BlockException outcome(Part part, Edge child, int number) {
    try {
      part.run(child, number);
      return null;
    } catch (BlockException e) {
      return e;
    }
  }

  /**
   * Tells of every failure.
   *
   * @throws BlockException what most of them failed with, if too few have not
   */
  private void judge(
      String operation,
      List<Edge> all,
      List<@Nullable BlockException> outcomes,
      long offsetBytes,
      long sizeBytes)
      throws BlockException {
    Votes<BlockException> failures = new Votes<>((one, two) -> one.errno() == two.errno());
    int succeeded = 0;
    for (int i = 0; i < outcomes.size(); i++) {
      BlockException failure = outcomes.get(i);
      if (failure == null) {
        succeeded++;
      } else {
        failures.add(failure, i);
        reportBad(operation, all.get(i), failure, offsetBytes, sizeBytes);
      }
    }
    if (succeeded < settings.threshold()) {
      if (!operation.equals(NodeEvent.QuorumBad.FLUSH)) {
        reportFailure(offsetBytes, sizeBytes);
      }
      throw BlockException.of(failures.winner().value().errno(), "quorum " + operation);
    }
  }

  private void reportBad(
      String operation,
      Edge child,
      @Nullable BlockException failure,
      long offsetBytes,
      long sizeBytes) {
    String error = failure == null ? null : failure.errno().message();
    node.graph()
        .events()
        .tell(
            new NodeEvent.QuorumBad(
                operation, error, child.child(), sector(offsetBytes), sectors(sizeBytes)));
  }

  private void reportFailure(long offsetBytes, long sizeBytes) {
    node.graph()
        .events()
        .tell(new NodeEvent.QuorumFailure(node, sector(offsetBytes), sectors(sizeBytes)));
  }

  private static long sector(long offsetBytes) {
    return offsetBytes / SECTOR_BYTES;
  }

  private static long sectors(long sizeBytes) {
    return (sizeBytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
  }

  // ------------------------------------------------------------------------------------ reading

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    if (settings.fifo()) {
      readFirst(offsetBytes, buffer, flags);
      return;
    }
    List<Edge> all = children;
    MemoryPool pool = buffers;
    MemorySegment memory = pool.take();
    try {
      readAll(all, memory, offsetBytes, buffer, flags);
    } finally {
      pool.give(memory);
    }
  }

  /** From the first child that does not fail. */
  @InCoroutine
  private void readFirst(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    BlockException last = null;
    for (Edge child : children) {
      last = outcome((edge, _) -> edge.read(offsetBytes, buffer, flags), child, 0);
      if (last == null) {
        return;
      }
      reportBad(NodeEvent.QuorumBad.READ, child, last, offsetBytes, buffer.sizeBytes());
    }
    if (last != null) {
      throw last;
    }
  }

  @InCoroutine
  private void readAll(
      List<Edge> all, MemorySegment memory, long offsetBytes, IoVector buffer, int flags)
      throws BlockException {
    long size = buffer.sizeBytes();
    List<IoVector> contents = new ArrayList<>();
    contents.add(buffer);
    for (int i = 1; i < all.size(); i++) {
      contents.add(IoVector.of(memory.asSlice((i - 1) * size, size)));
    }
    List<@Nullable BlockException> outcomes =
        outcomes(all, (child, i) -> child.read(offsetBytes, contents.get(i), flags));
    judge(NodeEvent.QuorumBad.READ, all, outcomes, offsetBytes, size);
    Votes<IoVector> votes = new Votes<>((one, two) -> mismatch(one, two) < 0);
    for (int i = 0; i < all.size(); i++) {
      if (outcomes.get(i) == null) {
        votes.add(contents.get(i), i);
      }
    }
    Votes.Version<IoVector> winner = votes.winner();
    List<Votes.Version<IoVector>> losers = votes.losers();
    if (!losers.isEmpty()) {
      settle(all, winner, losers, offsetBytes, size);
    }
    if (winner.value() != buffer) {
      copy(winner.value(), buffer);
    }
  }

  /** Not all children have the same. */
  @InCoroutine
  private void settle(
      List<Edge> all,
      Votes.Version<IoVector> winner,
      List<Votes.Version<IoVector>> losers,
      long offsetBytes,
      long size)
      throws BlockException {
    if (settings.verify()) {
      long at = offsetBytes + mismatch(winner.value(), losers.getFirst().value());
      String message =
          "quorum: offset=%d bytes=%d contents mismatch at offset %d"
              .formatted(offsetBytes, size, at);
      node.graph().diagnose(message);
      throw new BlockException(Errno.EIO, message);
    }
    if (winner.voters().size() < settings.threshold()) {
      reportFailure(offsetBytes, size);
      throw BlockException.of(Errno.EIO, "quorum read");
    }
    for (Votes.Version<IoVector> loser : losers) {
      for (int number : loser.voters()) {
        reportBad(NodeEvent.QuorumBad.READ, all.get(number), null, offsetBytes, size);
      }
    }
    if (settings.rewrite()) {
      List<Edge> wrong = new ArrayList<>();
      losers.forEach(loser -> loser.voters().forEach(number -> wrong.add(all.get(number))));
      // A child that cannot be mended is told of again with the next read.
      outcomes(wrong, (child, _) -> child.write(offsetBytes, winner.value(), 0));
    }
  }

  /** Where two buffers of the same size differ first, or -1. */
  private static long mismatch(IoVector one, IoVector two) {
    long position = 0;
    for (MemorySegment segment : one.segments()) {
      long start = position;
      for (MemorySegment other : two.slice(start, segment.byteSize()).segments()) {
        long inside = position - start;
        long found = segment.asSlice(inside, other.byteSize()).mismatch(other);
        if (found >= 0) {
          return position + found;
        }
        position += other.byteSize();
      }
    }
    return -1;
  }

  private static void copy(IoVector from, IoVector to) {
    MemorySegment source = from.segments().getFirst();
    long position = 0;
    for (MemorySegment segment : to.segments()) {
      MemorySegment.copy(source, position, segment, 0, segment.byteSize());
      position += segment.byteSize();
    }
  }

  // ------------------------------------------------------------------------------------ writing

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    List<Edge> all = children;
    judge(
        NodeEvent.QuorumBad.WRITE,
        all,
        outcomes(all, (child, _) -> child.write(offsetBytes, buffer, flags)),
        offsetBytes,
        buffer.sizeBytes());
  }

  @Override
  public int writeFlags() {
    int flags = -1;
    for (Edge child : children) {
      flags &= child.writeFlags();
    }
    return flags;
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long length, int flags) throws BlockException {
    List<Edge> all = children;
    boolean[] unable = new boolean[all.size()];
    List<@Nullable BlockException> outcomes =
        outcomes(all, (child, i) -> unable[i] = !child.writeZeroes(offsetBytes, length, flags));
    judge(NodeEvent.QuorumBad.WRITE, all, outcomes, offsetBytes, length);
    for (boolean each : unable) {
      if (each) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int zeroFlags() {
    return writeFlags();
  }

  @Override
  public boolean flushesChild(Edge edge) {
    return false; // one that fails may be outvoted
  }

  @Override
  public void flush() throws BlockException {
    List<Edge> all = children;
    judge(NodeEvent.QuorumBad.FLUSH, all, outcomes(all, (child, _) -> child.flush()), 0, 0);
  }

  // ------------------------------------------------------------------------------- what is there

  /** Zeroes only as far as all children are sure of it, data as far as one of them has some. */
  @Override
  public BlockStatus blockStatus(long offsetBytes, long length, boolean wantZero)
      throws BlockException {
    long zeroBytes = length;
    long dataBytes = 0;
    for (Edge child : children) {
      BlockStatus status = child.status(offsetBytes, length, wantZero);
      if (status.has(BlockStatus.ZERO)) {
        zeroBytes = Math.min(zeroBytes, status.lengthBytes());
      } else {
        dataBytes = Math.max(dataBytes, status.lengthBytes());
      }
    }
    boolean zero = dataBytes == 0;
    int flags = (zero ? BlockStatus.ZERO : BlockStatus.DATA) | BlockStatus.ALLOCATED;
    return new BlockStatus(zero ? zeroBytes : dataBytes, flags, 0, null);
  }

  // ----------------------------------------------------------------------------------- children

  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    int needed = used | (settings.rewrite() ? Permission.WRITE : 0);
    return new PermissionPair(needed, shared & Permission.DEFAULT_SHARED);
  }

  @Override
  public void addChild(BlockNode child) throws BlockException {
    if (settings.verify()) {
      throw new BlockException(
          Errno.EOPNOTSUPP, "Cannot add a child to a quorum in blkverify mode");
    }
    if (child.lengthBytes() != lengthBytes) {
      throw new BlockException(Errno.EINVAL, "A child of a quorum has to be of the same size");
    }
    String name = "children." + nextName;
    Edge edge =
        node.attachChild(name, QuorumType.ROLES, child, Permission.NONE, Permission.DEFAULT_SHARED);
    nextName++;
    List<Edge> all = new ArrayList<>(children);
    all.add(edge);
    become(all);
  }

  @Override
  public void removeChild(Edge child) throws BlockException {
    List<Edge> all = new ArrayList<>(children);
    if (all.size() <= settings.threshold()) {
      throw new BlockException(
          Errno.EINVAL,
          "The number of children cannot be lower than the vote threshold " + settings.threshold());
    }
    all.remove(child);
    become(all);
    node.detachChild(child);
  }

  private void become(List<Edge> all) {
    buffers.close();
    buffers = poolFor(all.size());
    children = Collections.unmodifiableList(all);
  }

  @Override
  public PreparedReopen prepareReopen(ReopenChange change) {
    return PreparedReopen.NOTHING;
  }

  @Override
  public void close() {
    buffers.close();
  }
}
