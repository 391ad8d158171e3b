package org.tinamou.jobs.chain;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.WritableImages;

/**
 * Writes what one image holds into the one it stands on, and empties it, while whoever asked waits.
 * It is no job: nobody can pause or cancel it.
 */
public final class ImageCommit {
  private final BlockNode top;
  private final BlockNode base;
  private final OverlayImage image;

  private ImageCommit(BlockNode top, BlockNode base, OverlayImage image) {
    this.top = top;
    this.base = base;
    this.image = image;
  }

  /**
   * Does it, on the main loop. Whoever uses the image goes on meanwhile, and reads what it read.
   *
   * @param writable has the image below accept writes for as long as it takes
   * @throws BlockException with EOPNOTSUPP if the image stands on none, EBUSY if a job works on one
   *     of the two
   */
  @InCoroutine
  public static void run(JobList jobs, BlockNode top, WritableImages writable)
      throws BlockException {
    Edge below = backing(top);
    if (below == null || !(top.driverOrNull() instanceof OverlayImage image)) {
      throw new BlockException(Errno.EOPNOTSUPP, Errno.EOPNOTSUPP.message());
    }
    BlockNode base = below.child();
    if (jobs.blockerOf(top) != null || jobs.blockerOf(base) != null) {
      throw new BlockException(Errno.EBUSY, Errno.EBUSY.message());
    }
    top.graph().reference(top);
    WritableImages.@Nullable Hold hold = null;
    try {
      hold = writable.hold(base);
      ImageChain.checkBelow(top, base);
      new ImageCommit(top, base, image).run();
    } finally {
      if (hold != null) {
        hold.end();
      }
      top.graph().release(top);
    }
  }

  private static @Nullable Edge backing(BlockNode node) {
    for (Edge edge : node.children()) {
      if (edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
        return edge;
      }
    }
    return null;
  }

  private void run() throws BlockException {
    BlockGraph graph = top.graph();
    BlockNode filter = CommitTop.insert(base, null);
    BlockBackend from = backend(graph, Permission.CONSISTENT_READ);
    BlockBackend to =
        backend(graph, Permission.CONSISTENT_READ | Permission.WRITE | Permission.RESIZE);
    try {
      from.insert(top);
      to.insert(base);
      copy(from, to);
      to.flush();
      image.makeEmpty();
      from.flush();
    } finally {
      from.close();
      to.close();
      graph.replace(filter, base);
      graph.release(filter);
    }
  }

  private BlockBackend backend(BlockGraph graph, int permissions) {
    BlockBackend backend = new BlockBackend(graph, "", top.context(), permissions, Permission.ALL);
    backend.setFollowsNode(true);
    return backend;
  }

  private static void copy(BlockBackend from, BlockBackend to) throws BlockException {
    long end = from.lengthBytes();
    if (to.lengthBytes() < end) {
      to.truncate(end, false, PreallocationMode.OFF);
    }
    for (long at = 0; at < end; ) {
      BlockStatus status = from.status(at, Math.min(ImageCopies.PIECE_BYTES, end - at), true);
      long length = status.lengthBytes();
      long offset = at;
      if (status.has(BlockStatus.ALLOCATED) && status.has(BlockStatus.ZERO)) {
        to.writeZeroes(offset, length, 0);
      } else if (status.has(BlockStatus.ALLOCATED)) {
        ImageCopies.withPiece(
            length,
            piece -> {
              from.read(offset, piece, 0);
              to.write(offset, piece, 0);
            });
      }
      at += length;
    }
  }
}
