package org.tinamou.jobs;

import java.util.HashMap;
import java.util.Map;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;

/**
 * Has images that are opened read-only accept writes for as long as somebody who works on them
 * needs it: from the first hold on an image to the end of the last. Main loop; one for a program.
 */
public final class WritableImages {
  private final ReadOnlySwitch access;
  private final Map<BlockNode, Use> uses = new HashMap<>();

  /** No image is held yet. */
  public WritableImages(ReadOnlySwitch access) {
    this.access = access;
  }

  /**
   * Has an image accept writes. Waits.
   *
   * @return to be ended by the caller; the node stays at least until then
   * @throws BlockException if it cannot be written to; then nothing has changed
   */
  @InCoroutine
  public Hold hold(BlockNode node) throws BlockException {
    Use use = uses.computeIfAbsent(node, Use::new);
    use.holds++;
    node.graph().reference(node);
    Hold hold = new Hold(use);
    try {
      use.accept();
      return hold;
    } catch (BlockException | RuntimeException refused) {
      hold.end();
      throw refused;
    }
  }

  /** An image on which somebody works. */
  private final class Use {
    final BlockNode node;
    final CoMutex switching;
    int holds;

    /** What it is again when nobody works on it. */
    boolean readOnlyAfter;

    Use(BlockNode node) {
      this.node = node;
      this.switching = new CoMutex("read-only switch of " + node.name());
      this.readOnlyAfter = node.isReadOnly();
    }

    void accept() throws BlockException {
      switching.lock();
      try {
        if (node.isReadOnly()) {
          access.setReadOnly(node, false);
        }
      } finally {
        switching.unlock();
      }
    }

    void end() {
      switching.lock();
      try {
        if (holds == 1 && readOnlyAfter && !node.isReadOnly()) {
          access.setReadOnly(node, true);
        }
      } catch (BlockException refused) {
        // Somebody else writes to it by now: then it stays as it is.
        node.graph()
            .diagnose("Could not make '" + node.name() + "' read-only: " + refused.getMessage());
      } finally {
        switching.unlock();
        if (--holds == 0) {
          uses.remove(node);
        }
      }
    }
  }

  /** The right to write to an image. */
  public static final class Hold {
    private final Use use;
    private boolean ended;

    private Hold(Use use) {
      this.use = use;
    }

    /** Whether the image refuses writes when nobody works on it any more. */
    @InCoroutine
    public void setReadOnlyAfter(boolean readOnly) {
      use.readOnlyAfter = readOnly;
    }

    /**
     * The image is what it was if nobody else works on it. If it cannot be, a message says so. A
     * second call does nothing. Waits.
     */
    @InCoroutine
    public void end() {
      if (!ended) {
        ended = true;
        use.end();
        use.node.graph().release(use.node);
      }
    }
  }
}
