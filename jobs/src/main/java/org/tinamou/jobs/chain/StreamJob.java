package org.tinamou.jobs.chain;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.NodeHold;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.NodeReferences;
import org.tinamou.block.Permission;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.GenericOptions;
import org.tinamou.drivers.copy.ChainStatus;
import org.tinamou.drivers.filter.copyonread.CopyOnReadDriver;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobType;
import org.tinamou.jobs.WritableImages;

/**
 * Copies what shows through an image into it, while it is used, down to a base; the images between
 * then leave the chain. The copying is done by a filter that keeps what is read through it.
 */
public final class StreamJob extends BlockJob {
  private static final int SHARED_BY_NODES = Permission.ALL & ~Permission.RESIZE;

  private final Place place;
  private final StreamSettings settings;
  private final WritableImages writable;
  private final WritableImages.Hold hold;
  private final BlockNode filter;
  private @Nullable NodeHold through;
  private @Nullable NodeHold into;
  private boolean dropped;

  /**
   * The nodes of a stream.
   *
   * @param target the image, perhaps with filters in front of it
   * @param image the image itself
   * @param bottom the lowest image that is copied from
   * @param given the base that was asked for, or null
   */
  private record Place(
      BlockNode target, BlockNode image, BlockNode bottom, @Nullable BlockNode given) {
    /**
     * The last node that must not be about to go when it begins: the one above the base, or the
     * bottom if no base is given.
     */
    BlockNode startsAbove() {
      BlockNode base = given == null ? null : base();
      return base == null ? bottom : ImageChain.above(bottom, base).getLast();
    }

    /**
     * What stands below the bottom now: the base that was asked for, unless it was a filter that
     * has left since. Filters above it come and go too.
     */
    @Nullable BlockNode base() {
      BlockNode first = ImageChain.below(bottom);
      BlockNode at = first;
      while (at != null && at != given && ImageChain.isFilter(at)) {
        at = ImageChain.below(at);
      }
      return at == given && at != null ? at : first;
    }
  }

  private StreamJob(
      JobList list,
      JobSettings common,
      Place place,
      StreamSettings settings,
      WritableImages writable,
      BlockNode filter,
      WritableImages.Hold hold)
      throws BlockException {
    super(list, filter.graph(), common, JobType.STREAM, filter.context());
    this.place = place;
    this.settings = settings;
    this.writable = writable;
    this.filter = filter;
    this.hold = hold;
  }

  /**
   * A stream that has still to be started. Its filter stands in front of the target already.
   *
   * @param base what remains below, or null to copy from the whole chain
   * @param bottom the lowest image that is copied from, in the place of a base, or null
   * @throws BlockException if it cannot be; nothing has changed then
   */
  @InCoroutine
  public static StreamJob create(
      JobList list,
      JobSettings common,
      BlockNode target,
      @Nullable BlockNode base,
      @Nullable BlockNode bottom,
      StreamSettings settings,
      WritableImages writable)
      throws BlockException {
    checkFreezable(target, place(target, base, bottom).startsAbove());
    WritableImages.Hold hold = writable.hold(target);
    BlockNode filter = null;
    StreamJob job = null;
    try {
      Place place = place(target, base, bottom); // others may have changed the chain meanwhile
      checkFreezable(target, place.startsAbove());
      try (NodeReferences kept = NodeReferences.take(place.bottom())) {
        filter = insert(place, settings.filterNodeName());
      }
      job = new StreamJob(list, common, place, settings, writable, filter, hold);
      job.takeNodes();
      return job;
    } catch (BlockException | RuntimeException refused) {
      if (job != null) {
        job.discardJob();
      }
      remove(target, filter, filter != null, hold);
      throw refused;
    }
  }

  private static Place place(BlockNode target, @Nullable BlockNode base, @Nullable BlockNode bottom)
      throws BlockException {
    BlockNode image = ImageChain.unfiltered(target);
    BlockNode lowest = bottom == null ? ImageChain.overlayOf(target, base) : bottom;
    if (lowest == null) {
      throw notBelow(Objects.requireNonNull(base), target);
    }
    return new Place(target, image, lowest, base);
  }

  private static BlockException notBelow(BlockNode node, BlockNode target) {
    return new BlockException(
        Errno.EINVAL,
        "'%s' is not in the backing chain of '%s'".formatted(node.name(), target.name()));
  }

  private static BlockNode insert(Place place, @Nullable String name) throws BlockException {
    BlockNode target = place.target();
    BlockNode filter;
    try {
      if (name != null) {
        GenericOptions.checkNodeName(name);
      }
      filter =
          target
              .graph()
              .open(
                  name,
                  NodeOptions.READ_WRITE.withDiscardUnmap(true),
                  target.context(),
                  node -> CopyOnReadDriver.above(node, target, place.bottom()));
    } catch (BlockException refused) {
      throw refused.prefixed("Could not create node: ");
    }
    try {
      target.graph().replace(target, filter);
    } catch (BlockException refused) {
      target.graph().release(filter);
      throw refused.prefixed("Could not replace node: ");
    }
    return filter;
  }

  private void takeNodes() throws BlockException {
    through = hold("main node", filter, Permission.CONSISTENT_READ, SHARED_BY_NODES);
    into = hold("active node", place.target(), Permission.NONE, SHARED_BY_NODES);
    if (!ImageChain.contains(place.target(), place.bottom())) { // others have changed the chain
      throw notBelow(place.bottom(), place.target());
    }
    checkFreezable(place.target(), place.startsAbove());
    freeze(place.target(), place.bottom()); // filters below it come and go
    BlockNode first = ImageChain.below(place.target());
    if (first == null || place.image() == place.bottom()) {
      return;
    }
    for (BlockNode each : ImageChain.above(first, place.base())) {
      hold(
          "intermediate node",
          each,
          Permission.NONE,
          Permission.CONSISTENT_READ | Permission.WRITE_UNCHANGED);
    }
  }

  // ------------------------------------------------------------------------------------ the work

  @Override
  protected void run() throws BlockException {
    if (place.image() == place.bottom()) {
      return; // nothing shows through that could be copied
    }
    Edge read = Objects.requireNonNull(through).edge();
    Edge target = Objects.requireNonNull(into).edge();
    long lengthBytes = target.lengthBytes();
    progress().setRemaining(lengthBytes);
    @Nullable BlockException ignored = null;
    for (long at = 0; at < lengthBytes; ) {
      awaitSpeed();
      long length = Math.min(ImageCopies.PIECE_BYTES, lengthBytes - at);
      try {
        length = step(read, target, at, length, lengthBytes);
      } catch (BlockException failed) {
        ErrorPolicy action = requestFailed(settings.onError(), true, failed);
        if (action == ErrorPolicy.STOP) {
          continue;
        }
        if (action == ErrorPolicy.REPORT) {
          throw failed;
        }
        ignored = ignored == null ? failed : ignored;
      }
      progress().advance(length);
      at += length;
    }
    if (ignored != null) {
      throw ignored;
    }
  }

  /** Copies the first part of a range, unless it is there; returns how long it is. */
  private long step(Edge read, Edge target, long offsetBytes, long lengthBytes, long endBytes)
      throws BlockException {
    BlockStatus here = target.status(offsetBytes, lengthBytes, false);
    long length = Math.min(lengthBytes, here.lengthBytes());
    if (here.has(BlockStatus.ALLOCATED)) {
      return length;
    }
    BlockNode base = place.base();
    Edge below = Objects.requireNonNull(Edge.below(place.image()));
    if (base == null && offsetBytes >= below.lengthBytes()) {
      return endBytes - offsetBytes; // zeroes, and nothing is left that could show through
    }
    ChainStatus status = ChainStatus.of(target, base, offsetBytes, length);
    length = Math.min(length, status.lengthBytes());
    if (status.allocated()) {
      accountForSpeed(length);
      ImageCopies.withPiece(length, piece -> read.read(offsetBytes, piece, RequestFlags.PREFETCH));
    }
    return length;
  }

  // ------------------------------------------------------------------------------------- its end

  /** The image stands on the base from now on, and says so. */
  @Override
  protected void prepare() throws BlockException {
    unfreeze();
    Objects.requireNonNull(through).setPermissions(Permission.NONE, Permission.ALL);
    graph().replace(filter, place.target());
    dropped = true;
    Edge below = Edge.below(place.image());
    if (below == null || !below.roles().contains(EdgeRole.COPY_ON_WRITE)) {
      return;
    }
    BlockNode base = place.base();
    if (base != null) {
      graph().reference(base);
    }
    try {
      BackingLink.point(place.image(), base);
      BackingLink.rename(
          place.image(),
          base,
          base == null ? null : settings.backingName(),
          settings.masksProtocol(),
          writable);
    } finally {
      if (base != null) {
        graph().release(base);
      }
    }
  }

  @Override
  protected void clean() {
    releaseHolds();
    remove(place.target(), filter, !dropped, hold);
    releaseNodes();
  }

  private static void remove(
      BlockNode target, @Nullable BlockNode filter, boolean stillThere, WritableImages.Hold hold) {
    try {
      if (filter != null && stillThere) {
        target.graph().replace(filter, target);
      }
    } catch (BlockException refused) {
      throw new IllegalStateException("a filter cannot leave", refused);
    }
    if (filter != null) {
      target.graph().release(filter);
    }
    hold.end();
  }
}
