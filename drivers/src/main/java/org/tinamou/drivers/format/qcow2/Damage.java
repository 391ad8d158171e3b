package org.tinamou.drivers.format.qcow2;

import java.util.function.Consumer;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * What was found wrong with an image while it is in use. After something that further writes would
 * make worse the image is marked as corrupt, and takes no more requests.
 */
final class Damage {
  /** Marks the image in its header. */
  @FunctionalInterface
  interface Marker {
    void mark() throws BlockException;
  }

  /** Tells programs of it, as lines tell people. */
  @FunctionalInterface
  interface Announcer {
    /** Of a place in the file, or of -1 and -1. */
    void announce(String what, long offsetBytes, long lengthBytes, boolean isFatal);
  }

  private volatile boolean writable;
  private final Consumer<String> lines;
  private final Announcer announcer;
  private final Marker marker;
  private volatile boolean fatal;
  private boolean told;

  /**
   * None so far.
   *
   * @param lines told of damage, in the reference's words
   */
  Damage(boolean writable, Consumer<String> lines, Announcer announcer, Marker marker) {
    this.announcer = announcer;
    this.writable = writable;
    this.lines = lines;
    this.marker = marker;
  }

  /** Fails for every request once the image has been marked. */
  void check() throws BlockException {
    if (fatal) {
      throw new BlockException(Errno.ENOMEDIUM, Errno.ENOMEDIUM.message());
    }
  }

  void setWritable(boolean mayBeWritten) {
    writable = mayBeWritten;
  }

  boolean isFatal() {
    return fatal;
  }

  /**
   * Something that writes could make worse. The caller holds the metadata lock.
   *
   * @return for the caller to throw
   */
  @InCoroutine
  BlockException found(String what) {
    return found(what, -1, -1);
  }

  /** The same of a place in the file. */
  @InCoroutine
  BlockException found(String what, long offsetBytes, long lengthBytes) {
    if (!writable) {
      tell(what);
    } else if (!fatal) {
      fatal = true;
      lines.accept(
          "qcow2: Marking image as corrupt: "
              + what
              + "; further corruption events will be suppressed");
      announcer.announce(what, offsetBytes, lengthBytes, true);
      try {
        marker.mark();
      } catch (BlockException e) {
        lines.accept("qcow2: Could not mark image as corrupt: " + e.getMessage());
      }
    }
    return BlockException.of(Errno.EIO, what);
  }

  /**
   * The header may have been changed or not, so that no table can be trusted to be the one that it
   * names: the image has to be opened anew. The caller holds the metadata lock.
   */
  void headerUnknown() {
    if (!fatal) {
      fatal = true;
      lines.accept("qcow2: Could not restore the header; the image takes no more requests");
    }
  }

  /**
   * What is in memory does not fit the file any more, as whoever changes it is told: the image has
   * to be opened anew. The caller holds the metadata lock.
   */
  void giveUp() {
    fatal = true;
  }

  /** Something that can be lived with. The caller holds the metadata lock. */
  void tell(String what) {
    if (!told && !fatal) {
      told = true;
      lines.accept(
          "qcow2: Image is corrupt: "
              + what
              + "; further non-fatal corruption events will be suppressed");
      announcer.announce(what, -1, -1, false);
    }
  }

  /** A line about something that does not concern the image as a whole. */
  void note(String line) {
    lines.accept(line);
  }
}
