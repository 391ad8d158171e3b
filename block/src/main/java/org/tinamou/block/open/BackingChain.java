package org.tinamou.block.open;

import java.util.ArrayDeque;
import java.util.Deque;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * The images that name each other as backing files and are being opened, one inside of the other:
 * none twice, and not too many.
 */
public final class BackingChain {
  /** How long a chain may be unless somebody says otherwise. */
  public static final int DEFAULT_MAX_IMAGES = 200;

  private final Deque<String> names = new ArrayDeque<>();
  private int maxImages = DEFAULT_MAX_IMAGES;

  BackingChain() {}

  /** Allows chains of up to so many images. Their requests nest as deeply. */
  @HomeThread
  public void setMaxImages(int images) {
    Check.argument(images > 0, "a chain has at least one image: %s", images);
    maxImages = images;
  }

  void enter(String name) throws BlockException {
    if (!name.isEmpty() && names.contains(name)) {
      throw new BlockException(
          Errno.ELOOP, "Backing file '" + name + "' creates an infinite loop.");
    }
    if (names.size() >= maxImages) {
      throw new BlockException(
          Errno.ELOOP, "The backing chain is longer than " + maxImages + " images");
    }
    names.push(name);
  }

  void leave() {
    names.pop();
  }
}
