package org.tinamou.drivers.protocol.nbd;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.SocketAddress;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.RequestFlags;
import org.tinamou.nbd.client.ClientSession;
import org.tinamou.nbd.client.ExportDetails;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.SessionEnded;

/** A disk that an NBD server shows, over one connection or several. */
public final class NbdDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.Resizable,
        BlockDriver.StatusSource,
        BlockDriver.Discarder,
        BlockDriver.Quiescable,
        BlockDriver.ContextBound,
        BlockDriver.Reopenable,
        BlockDriver.Remote,
        BlockDriver.Named {
  private static final long MAX_COMPACT_BYTES = 0xffff_ffffL;
  private static final int SECTOR_BYTES = 512;

  private final BlockNode node;
  private final NbdSettings settings;
  private final ExportDetails export;
  private final List<NbdLink> links;
  private final AtomicInteger next = new AtomicInteger();
  private final BlockLimits limits;

  private NbdDriver(
      BlockNode node, NbdSettings settings, ExportDetails export, List<NbdLink> links) {
    this.node = node;
    this.settings = settings;
    this.export = export;
    this.links = links;
    this.limits = limitsOf(export);
  }

  /** Connects. */
  @InCoroutine
  static NbdDriver open(BlockNode node, NbdSettings settings) throws BlockException {
    List<NbdLink> links = new ArrayList<>();
    NbdLink first = new NbdLink(settings, null);
    ExportDetails export;
    node.work().opening(first);
    try {
      export = first.open();
    } finally {
      node.work().opening(null);
    }
    links.add(first);
    boolean several = export.has(Nbd.CAN_MULTI_CONN);
    for (int i = 1; several && i < settings.connections(); i++) {
      // They connect when they are used first.
      links.add(new NbdLink(settings, export));
    }
    return new NbdDriver(node, settings, export, List.copyOf(links));
  }

  private static BlockLimits limitsOf(ExportDetails export) {
    int minimum = Math.max(1, export.minimumBlockBytes());
    if (export.sizeBytes() % minimum != 0) {
      // The server takes less than it says, or its end could not be reached.
      minimum = 1;
    }
    long maximum = Integer.toUnsignedLong(export.maximumBlockBytes());
    long transfer =
        maximum == 0 ? Nbd.MAX_TRANSFER_BYTES : Math.min(maximum, Nbd.MAX_TRANSFER_BYTES);
    long alignedTransfer = Math.max(minimum, transfer & -minimum);
    long longest = export.extended() ? 0 : MAX_COMPACT_BYTES & -Math.max(minimum, SECTOR_BYTES);
    return new BlockLimits(minimum, 1, alignedTransfer, longest, minimum, longest, minimum);
  }

  /** Whether the server tells what the options ask for; if they do not, it need not. */
  boolean knowsStatusContext() {
    String bitmap = settings.dirtyBitmap();
    return bitmap == null || export.contexts().containsKey(bitmap);
  }

  /** What the server says of the export. */
  ExportDetails export() {
    return export;
  }

  /** Whether the server is reached by a Unix socket, and answers as fast as this host does. */
  public boolean isOnThisHost() {
    return settings.address() instanceof SocketAddress.Unix;
  }

  @Override
  public void giveUp() {
    links.forEach(NbdLink::giveUp);
  }

  @Override
  public void limitPatience(long nowNanos) {
    links.forEach(link -> link.limitPatience(nowNanos));
  }

  @Override
  public void restorePatience() {
    links.forEach(NbdLink::restorePatience);
  }

  @Override
  public void dropIfSilent(long nowNanos, long silenceNanos) {
    links.forEach(link -> link.dropIfSilent(nowNanos, silenceNanos));
  }

  @Override
  public String formatName() {
    return "nbd";
  }

  @Override
  public String exactFileName() {
    return NbdName.of(settings);
  }

  @Override
  public long lengthBytes() {
    return export.sizeBytes();
  }

  @Override
  public BlockLimits limits() {
    return limits;
  }

  // ----------------------------------------------------------------------------------- requests

  /** What is asked of a session. */
  private interface Action<T> {
    T run(ClientSession session) throws SessionEnded, ErrnoException;
  }

  /** Done, for actions without a result. */
  private static final Boolean DONE = Boolean.TRUE;

  private <T> T perform(Action<T> action) throws BlockException {
    NbdLink link = links.size() == 1 ? links.getFirst() : pick();
    while (true) {
      ClientSession session;
      try {
        session = link.session();
      } catch (BlockException e) {
        if (link == links.getFirst()) {
          throw e;
        }
        // The server may let in fewer clients than it said.
        link = links.getFirst();
        continue;
      }
      try {
        return action.run(session);
      } catch (ErrnoException e) {
        throw new BlockException(e.errno(), e.context());
      } catch (SessionEnded e) {
        if (!link.lost(session, e)) {
          throw new BlockException(Errno.EIO, e.reason());
        }
      }
    }
  }

  /** The least busy link, beginning with another one each time. */
  private NbdLink pick() {
    int start = (next.getAndIncrement() & Integer.MAX_VALUE) % links.size();
    NbdLink best = links.get(start);
    int fewest = Integer.MAX_VALUE;
    for (int i = 0; i < links.size(); i++) {
      NbdLink each = links.get((start + i) % links.size());
      @Nullable ClientSession session = each.current();
      int requests = session == null ? 0 : session.requests();
      if (requests < fewest) {
        fewest = requests;
        best = each;
      }
    }
    return best;
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    perform(
        session -> {
          session.read(offsetBytes, buffer);
          return DONE;
        });
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    boolean stable = (flags & RequestFlags.FORCE_UNIT_ACCESS) != 0;
    perform(
        session -> {
          session.write(offsetBytes, buffer, stable);
          return DONE;
        });
  }

  @Override
  public int writeFlags() {
    return export.has(Nbd.SEND_FUA) ? RequestFlags.FORCE_UNIT_ACCESS : RequestFlags.NONE;
  }

  private void command(int command, int flags, long offsetBytes, long lengthBytes)
      throws BlockException {
    perform(
        session -> {
          session.command(command, flags, offsetBytes, lengthBytes);
          return DONE;
        });
  }

  @Override
  public void flush() throws BlockException {
    if (export.has(Nbd.SEND_FLUSH)) {
      command(Nbd.CMD_FLUSH, 0, 0, 0);
    }
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    boolean fast = (flags & RequestFlags.NO_FALLBACK) != 0;
    if (!export.has(Nbd.SEND_WRITE_ZEROES) || (fast && !export.has(Nbd.SEND_FAST_ZERO))) {
      return false;
    }
    int wire =
        ((flags & RequestFlags.MAY_UNMAP) == 0 ? Nbd.FLAG_NO_HOLE : 0)
            | ((flags & RequestFlags.FORCE_UNIT_ACCESS) != 0 ? Nbd.FLAG_FUA : 0)
            | (fast ? Nbd.FLAG_FAST_ZERO : 0);
    try {
      command(Nbd.CMD_WRITE_ZEROES, wire, offsetBytes, lengthBytes);
      return true;
    } catch (BlockException e) {
      if (e.errno() == Errno.EOPNOTSUPP) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public int zeroFlags() {
    return writeFlags() | RequestFlags.MAY_UNMAP | RequestFlags.NO_FALLBACK;
  }

  /** An export has the size it has; to use less of it is no change. */
  @Override
  public void truncate(long newLengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    if (exact && newLengthBytes != export.sizeBytes()) {
      throw new BlockException(Errno.EOPNOTSUPP, "Cannot resize NBD nodes");
    }
    if (newLengthBytes > export.sizeBytes()) {
      throw new BlockException(Errno.EINVAL, "Cannot grow NBD nodes");
    }
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    if (!export.has(Nbd.SEND_TRIM)) {
      return false;
    }
    command(Nbd.CMD_TRIM, 0, offsetBytes, lengthBytes);
    return true;
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    String context = settings.statusContext();
    if (!export.contexts().containsKey(context)) {
      return new BlockStatus(
          lengthBytes,
          BlockStatus.DATA | BlockStatus.ALLOCATED | BlockStatus.OFFSET_VALID,
          offsetBytes,
          node);
    }
    long asked =
        export.extended()
            ? lengthBytes
            : Math.min(lengthBytes, MAX_COMPACT_BYTES & -(long) limits.requestAlignmentBytes());
    ClientSession.Extent extent =
        perform(session -> session.blockStatus(context, offsetBytes, asked));
    long length = extent.lengthBytes();
    int alignment = limits.requestAlignmentBytes();
    if (length % alignment != 0 && length < asked) {
      // Servers may say more exactly than can be asked.
      length = Math.max(alignment, length & -(long) alignment);
    }
    int flags = BlockStatus.ALLOCATED | BlockStatus.OFFSET_VALID;
    flags |= (extent.flags() & Nbd.STATE_HOLE) == 0 ? BlockStatus.DATA : 0;
    flags |= (extent.flags() & Nbd.STATE_ZERO) != 0 ? BlockStatus.ZERO : 0;
    return new BlockStatus(length, flags, offsetBytes, node);
  }

  // ----------------------------------------------------------------------------- rest and moves

  /** Requests that wait for a lost server give up, or whoever drains would wait for it too. */
  @Override
  public void quiesce() {
    links.forEach(NbdLink::quiesce);
  }

  @Override
  public void unquiesce() {
    links.forEach(NbdLink::unquiesce);
  }

  /** Nothing to take along: a connection at rest is known to no loop. */
  @Override
  public void detachFromContext() {}

  @Override
  public void attachToContext(org.tinamou.aio.AioContext context) {}

  @Override
  public PreparedReopen prepareReopen(ReopenChange change) throws BlockException {
    if (!change.options().readOnly() && export.has(Nbd.READ_ONLY)) {
      throw new BlockException(Errno.EACCES, "Can't reopen read-only NBD mount as read/write");
    }
    return PreparedReopen.NOTHING;
  }

  @Override
  public void close() {
    links.forEach(NbdLink::close);
  }
}
