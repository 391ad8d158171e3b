package org.tinamou.jobs.chain;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;

/** Who is who in a chain of images, each of which may have filters in front of it. */
public final class ImageChain {
  private ImageChain() {}

  /** What shows through a node: the image below, or what it filters; null if nothing does. */
  @AnyThread
  public static @Nullable BlockNode below(BlockNode node) {
    Edge edge = Edge.below(node);
    return edge == null || isWrapped(node, edge) ? null : edge.child();
  }

  /** An image without a format shows all of its file, and yet is no filter. */
  private static boolean isWrapped(BlockNode node, Edge below) {
    BlockDriver driver = node.driverOrNull();
    return below.roles().contains(EdgeRole.FILTERED)
        && driver != null
        && driver.formatName().equals("raw");
  }

  /** Whether a node only passes on what another one shows. */
  @AnyThread
  public static boolean isFilter(BlockNode node) {
    Edge edge = Edge.below(node);
    return edge != null && edge.roles().contains(EdgeRole.FILTERED) && !isWrapped(node, edge);
  }

  /** The node, or what it is if it is a filter. */
  @AnyThread
  public static BlockNode unfiltered(BlockNode node) {
    BlockNode at = node;
    for (BlockNode next = below(at); next != null && isFilter(at); next = below(at)) {
      at = next;
    }
    return at;
  }

  /** Whether a node is the top of a chain or shows through it. */
  @AnyThread
  public static boolean contains(BlockNode top, BlockNode node) {
    for (BlockNode at = top; at != null; at = below(at)) {
      if (at == node) {
        return true;
      }
    }
    return false;
  }

  /** The nodes from the top on, filters too, down to the one above the base. */
  @AnyThread
  public static List<BlockNode> above(BlockNode top, @Nullable BlockNode base) {
    List<BlockNode> nodes = new ArrayList<>();
    for (BlockNode at = top; at != null && at != base; at = below(at)) {
      nodes.add(at);
    }
    return nodes;
  }

  /**
   * Checks that an image stands on another one, which may have changed while somebody waited.
   *
   * @throws BlockException with EINVAL if it does not
   */
  @AnyThread
  public static void checkBelow(BlockNode top, BlockNode base) throws BlockException {
    if (overlayOf(top, base) == null) {
      throw new BlockException(
          Errno.EINVAL,
          "'%s' is not in the backing chain of '%s'".formatted(base.name(), top.name()));
    }
  }

  /** The lowest image of a chain. */
  @AnyThread
  public static BlockNode bottom(BlockNode top) {
    return above(top, null).getLast();
  }

  /**
   * The image that stands on a node or on filters in front of it; null if none does.
   *
   * @param node null for the lowest image of all
   */
  @AnyThread
  public static @Nullable BlockNode overlayOf(BlockNode top, @Nullable BlockNode node) {
    BlockNode wanted = node == null ? null : unfiltered(node);
    BlockNode at = unfiltered(top);
    while (true) {
      BlockNode next = below(at);
      BlockNode image = next == null ? null : unfiltered(next);
      if (image == wanted) {
        return at;
      }
      if (image == null) {
        return null;
      }
      at = image;
    }
  }
}
