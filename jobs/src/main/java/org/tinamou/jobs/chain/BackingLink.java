package org.tinamou.jobs.chain;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.open.FileNames;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.jobs.WritableImages;

/** What an image stands on: the link in the graph, and the name in the image. Main loop. */
final class BackingLink {
  private static final int MAX_TRIES = 100;

  private BackingLink() {}

  /** Has an image stand on another one, or on none, in the graph. */
  @InCoroutine
  static void point(BlockNode image, @Nullable BlockNode base) throws BlockException {
    Edge below = Edge.below(image);
    if (below == null || below.child() == base) {
      return;
    }
    image
        .graph()
        .reopen(
            List.of(
                new ReopenChange(
                    image,
                    image.options(),
                    null,
                    List.of(
                        new ReopenChange.ChildChange(
                            below.name(), Set.of(EdgeRole.COPY_ON_WRITE), base)))));
  }

  /**
   * Writes the name of what it stands on into an image, which may be read-only. Waits, and holds
   * the image meanwhile: nobody else may need it any more.
   *
   * @param name null for the base's own
   * @param masksProtocol whether a base without a format is said to be raw
   */
  @InCoroutine
  static void rename(
      BlockNode image,
      @Nullable BlockNode base,
      @Nullable String name,
      boolean masksProtocol,
      WritableImages writable)
      throws BlockException {
    if (!(image.driverOrNull() instanceof OverlayImage overlay)) {
      throw BlockException.of(Errno.EOPNOTSUPP, "node '" + image.name() + "' names no other image");
    }
    BlockNode named = base == null ? null : ImageChain.unfiltered(base);
    String chosen = name == null && named != null ? FileNames.of(named) : name;
    String format = named == null ? null : formatOf(named, masksProtocol);
    image.graph().reference(image);
    try {
      renameWritable(image, overlay, chosen, format, writable);
    } finally {
      image.graph().release(image);
    }
  }

  private static void renameWritable(
      BlockNode image,
      OverlayImage overlay,
      @Nullable String chosen,
      @Nullable String format,
      WritableImages writable)
      throws BlockException {
    boolean[] done = new boolean[1];
    for (int tries = 0; !done[0]; tries++) {
      if (tries == MAX_TRIES) {
        throw BlockException.of(Errno.EBUSY, "node '" + image.name() + "' stays read-only");
      }
      WritableImages.Hold hold = writable.hold(image);
      try {
        image.work().perform(() -> done[0] = changeBacking(image, overlay, chosen, format));
      } finally {
        hold.end();
      }
    }
  }

  /** False if somebody has reopened it read-only while this request waited. */
  private static boolean changeBacking(
      BlockNode image, OverlayImage overlay, @Nullable String name, @Nullable String format)
      throws BlockException {
    if (image.isReadOnly()) {
      return false;
    }
    overlay.changeBacking(name, format);
    return true;
  }

  private static @Nullable String formatOf(BlockNode node, boolean masksProtocol) {
    BlockDriver driver = node.driverOrNull();
    if (driver == null) {
      return null;
    }
    return masksProtocol && node.children().isEmpty() ? "raw" : driver.formatName();
  }
}
