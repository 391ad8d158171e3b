package org.tinamou.block.open;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * The images that name each other and are being opened, one inside of the other: none twice,
 * whatever names it goes by, and not too many.
 */
public final class BackingChain {
  /** How long a chain may be unless somebody says otherwise. */
  public static final int DEFAULT_MAX_IMAGES = 200;

  /** A file of the host, whatever it is called. */
  private record HostFile(long device, long inode) {}

  /** An image, what it is to the one that names it, and its files. */
  private record Link(String name, String child, Set<HostFile> files) {
    boolean isDescription() {
      return name.startsWith("json:");
    }
  }

  private final Deque<Link> links = new ArrayDeque<>();
  private final Set<String> names = new HashSet<>();
  private int maxImages = DEFAULT_MAX_IMAGES;

  BackingChain() {
    links.push(new Link("", "", new HashSet<>()));
  }

  /** An empty one with the same limit. */
  BackingChain unused() {
    BackingChain other = new BackingChain();
    other.maxImages = maxImages;
    return other;
  }

  /** Allows chains of up to so many images. Their requests nest as deeply. */
  @HomeThread
  public void setMaxImages(int images) {
    Check.argument(images > 0, "a chain has at least one image: %s", images);
    maxImages = images;
  }

  void enter(String name, String child) throws BlockException {
    if (names.contains(name)) {
      throw loop(name);
    }
    if (links.size() > maxImages) {
      throw new BlockException(
          Errno.ELOOP, "The backing chain is longer than " + maxImages + " images");
    }
    if (!name.isEmpty()) {
      names.add(name);
    }
    links.push(new Link(name, child, new HashSet<>()));
  }

  private static BlockException loop(String name) {
    return new BlockException(Errno.ELOOP, "Backing file '" + name + "' creates an infinite loop.");
  }

  /** A file of the image that was entered last has been opened. */
  void found(long device, long inode) throws BlockException {
    HostFile file = new HostFile(device, inode);
    Link last = links.element();
    // What is described in detail may be another part of the same device.
    boolean again =
        !last.isDescription()
            && links.stream().skip(1).anyMatch(link -> link.files().contains(file));
    if (again) {
      throw last.child().equals("data-file")
          ? new BlockException(Errno.ELOOP, "The data file of the image is the image itself")
          : loop(last.name());
    }
    last.files().add(file);
  }

  void leave() {
    names.remove(links.pop().name());
  }
}
