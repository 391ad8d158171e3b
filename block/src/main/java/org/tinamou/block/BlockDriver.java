package org.tinamou.block;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;

/**
 * What a node does with its requests: a format, a protocol or a filter. One instance for one node.
 *
 * <p>Requests come as coroutines of any loop, many at a time, already inside the node's size and
 * aligned and split to its {@link #limits()}; buffers stay the caller's. Everything beyond reading
 * is an optional capability: the nested interfaces.
 */
public interface BlockDriver {
  /** The name in {@code driver=}, e.g. "qcow2". */
  @AnyThread
  String formatName();

  /** The size of what it shows. */
  @AnyThread
  long lengthBytes();

  /** What requests have to keep to. Asked anew whenever the graph below has changed. */
  @AnyThread
  BlockLimits limits();

  /** Fills the buffer. */
  @InCoroutine
  void read(long offsetBytes, IoVector buffer, int flags) throws BlockException;

  /**
   * Fills the buffer with what is at hand, as a file's data is that the host has in its cache:
   * never parks, blocks or takes long.
   *
   * @return whether it has; if not, {@link #read} is asked
   */
  @InCoroutine
  default boolean readAtHand(long offsetBytes, IoVector buffer) {
    return false;
  }

  /**
   * Where a read goes that is just one read of a child, at the same offset, with all flags; null if
   * the driver reads itself. The request is then the child's: neither counted nor tracked on this
   * node, whose parents count it until it has ended. Which of the two it is changes only while the
   * node is drained.
   */
  @InCoroutine
  default @Nullable Edge passRead() throws BlockException {
    return null;
  }

  /**
   * Frees what it holds. The node is drained and has no parents; its children are still there. Main
   * loop.
   */
  @InCoroutine
  void close();

  /** Can be found again by a name. */
  interface Named extends BlockDriver {
    /** A name that says it all, or the empty text if there is none. */
    @AnyThread
    String exactFileName();
  }

  /** Is called as another node is, by its options too. */
  interface NamedAsOther extends BlockDriver {
    @AnyThread
    BlockNode namesake();
  }

  /**
   * May have been put in front of a node by a job: then it goes when that ends, whoever is above,
   * and no other job may rely on standing on it. Without a name of its own it is not spoken of.
   */
  interface Unnoticed extends BlockDriver {
    /** The node that it was put in front of; null if a user has put it there. */
    @AnyThread
    @Nullable BlockNode behind();
  }

  /** Depends on somebody who may never answer. */
  interface Remote extends BlockDriver, RemotePatience.Peer {
    /** Gives up whatever is remote at the node or below it. */
    @AnyThread
    static void giveUpBelow(BlockNode node) {
      if (node.driverOrNull() instanceof Remote remote) {
        remote.giveUp();
      }
      node.children().forEach(edge -> giveUpBelow(edge.child()));
    }
  }

  /** Can be written to. */
  interface Writable extends BlockDriver {
    /** Stores the buffer. Of the flags it sees those it {@link #writeFlags() supports}. */
    @InCoroutine
    void write(long offsetBytes, IoVector buffer, int flags) throws BlockException;

    /** The {@link RequestFlags} that {@link #write} honours itself. */
    @AnyThread
    int writeFlags();

    /**
     * Makes completed writes stable on the host. The node flushes the children itself, and leaves
     * this out where its options say so.
     */
    @InCoroutine
    void flush() throws BlockException;

    /** Whether the node flushes a child when it is flushed itself. */
    @AnyThread
    default boolean flushesChild(Edge edge) {
      return true;
    }
  }

  /** Keeps changes in memory that have to reach its children before they are flushed. */
  interface WriteCache extends Writable {
    /** Writes what it keeps to the children, in an order that a crash can bear. */
    @InCoroutine
    void writeBack() throws BlockException;
  }

  /** Can store zeroes without buffers. */
  interface ZeroWriter extends Writable {
    /**
     * Makes the range read as zeroes.
     *
     * @return false if it cannot do that better than by writing buffers
     */
    @InCoroutine
    boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException;

    /** The {@link RequestFlags} that {@link #writeZeroes} honours itself. */
    @AnyThread
    int zeroFlags();
  }

  /** Can give space back. */
  interface Discarder extends BlockDriver {
    /**
     * Forgets the range as far as that is possible.
     *
     * @return false if it cannot
     */
    @InCoroutine
    boolean discard(long offsetBytes, long lengthBytes) throws BlockException;
  }

  /** Knows where there is data. */
  interface StatusSource extends BlockDriver {
    /**
     * The status of the first bytes of the range.
     *
     * @param wantZero whether it is worth some effort to find out that data is zero
     */
    @InCoroutine
    BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero)
        throws BlockException;

    /**
     * Whether asking is dear and all changes come through the node: data that it reports with
     * {@code wantZero} is remembered until some of it may become a hole. It is then asked about
     * everything up to the end, and may answer for more than it was asked about.
     */
    @AnyThread
    default boolean isStatusCached() {
      return false;
    }
  }

  /** Can copy ranges below the level of buffers, or pass such copies on. */
  interface RangeCopier extends Writable {
    /**
     * The range is to be read: goes on with {@link CopyRange#from} on the child that has it, or
     * with {@link CopyRange#here}.
     *
     * @return false if it is not supported
     */
    @InCoroutine
    boolean copyRangeFrom(long offsetBytes, long lengthBytes, CopyRange copy) throws BlockException;

    /**
     * The range is to be written: goes on with {@link CopyRange#to} on the child that holds it, or
     * copies from {@link CopyRange#source()} if it knows how.
     *
     * @return false if it is not supported
     */
    @InCoroutine
    boolean copyRangeTo(long offsetBytes, long lengthBytes, CopyRange copy) throws BlockException;
  }

  /** Can change its size. */
  interface Resizable extends Writable {
    /**
     * Changes the size; the new part reads as zeroes.
     *
     * @param exact whether more than asked is an error
     */
    @InCoroutine
    void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
        throws BlockException;
  }

  /** Can look for damage in what it keeps beside the data. */
  interface Checkable extends BlockDriver {
    /**
     * Compares everything with everything, and repairs what it is told to. Requests wait meanwhile.
     *
     * @param repair anything but {@link CheckRepair#NONE} needs a node that may be written to
     * @param lines told each finding as a line, in the reference's words; a flood of them is cut
     *     off
     * @throws BlockException if it cannot come to a result
     */
    @InCoroutine
    CheckReport check(CheckRepair repair, Consumer<String> lines) throws BlockException;
  }

  /** Can change its options while it is open. */
  interface Reopenable extends BlockDriver {
    /**
     * Opens, reads and checks whatever the change needs, beside what is in use: until it is
     * committed everything works as before. The node is drained; the graph has not changed yet.
     * Main loop.
     *
     * @throws BlockException to refuse; nothing is kept then
     */
    @InCoroutine
    PreparedReopen prepareReopen(ReopenChange change) throws BlockException;
  }

  /** A reopen of one node that is ready: one of {@link #commit} and {@link #abort} follows. */
  interface PreparedReopen {
    /** Nothing to do for the driver. */
    PreparedReopen NOTHING =
        new PreparedReopen() {
          @Override
          public void commit() {}

          @Override
          public void abort() {}
        };

    /** Whether the node will be read-only although it may be written to (auto-read-only). */
    @HomeThread
    default boolean staysReadOnly() {
      return false;
    }

    /**
     * Uses what was prepared. Options, edges and permissions of the graph are the new ones; the
     * children have committed. Main loop.
     */
    @InCoroutine
    void commit();

    /** Forgets what was prepared. Main loop. */
    @InCoroutine
    void abort();
  }

  /** Is told what the node above, or the node itself, is about to do. */
  interface EventSink extends BlockDriver {
    /** May wait, and so hold up whoever is about to do it; failures come with the requests. */
    @InCoroutine
    void announced(DebugEvent event);
  }

  /** Can hold up requests at an event until somebody lets them go. */
  interface Breakpoints extends EventSink {
    /**
     * The next request that comes to the event waits there, once.
     *
     * @param log told when a request is held up and when it goes on, in the reference's words
     */
    @AnyThread
    void addBreakpoint(DebugEvent event, String tag, Consumer<String> log);

    /**
     * Removes the breakpoints of a tag and lets go what waits there.
     *
     * @return false if there was neither
     */
    @AnyThread
    boolean removeBreakpoint(String tag);

    /**
     * Lets one request go.
     *
     * @return false if none waits under the tag
     */
    @AnyThread
    boolean resume(String tag);

    /** Waits until a request waits under the tag. */
    @InCoroutine
    void awaitSuspended(String tag);

    /** Whether a request waits under the tag. */
    @AnyThread
    boolean isSuspended(String tag);

    /** The nearest node at or below another one, by its primary children, that can do that. */
    @AnyThread
    static @Nullable Breakpoints below(BlockNode node) {
      for (BlockNode at = node; at != null; at = at.primaryChild()) {
        if (at.driverOrNull() instanceof Breakpoints breakpoints) {
          return breakpoints;
        }
      }
      return null;
    }
  }

  /** Has work of its own that has to rest while the node is drained. */
  interface Quiescable extends BlockDriver {
    /** Starts no more requests of its own. Main loop; never waits. */
    @HomeThread
    void quiesce();

    /** May start requests again. Main loop; never waits. */
    @HomeThread
    void unquiesce();
  }

  /** Holds timers, descriptors or coroutines in the node's loop. */
  interface ContextBound extends BlockDriver {
    /** Disarms everything in the old loop. Drained, main loop; never waits. */
    @HomeThread
    void detachFromContext();

    /** Arms everything in the new loop. Drained, main loop; never waits. */
    @HomeThread
    void attachToContext(AioContext context);
  }

  /** Says what it needs of its children, given what its parents need of it. */
  interface PermissionMapper extends BlockDriver {
    /**
     * The permissions for one child.
     *
     * @param used what the node's parents use, together
     * @param shared what they all share
     */
    @AnyThread
    PermissionPair childPermissions(Edge edge, int used, int shared);

    /** The same, for those to whom it matters whether anybody is above at all. */
    @AnyThread
    default PermissionPair childPermissions(Edge edge, int used, int shared, boolean hasParents) {
      return childPermissions(edge, used, shared);
    }
  }

  /** Has to be asked before its permissions change: it takes locks on the host. */
  interface PermissionGuard extends BlockDriver {
    /** Takes what the new permissions need, keeping what the old ones had. */
    @InCoroutine
    void preparePermissions(int used, int shared) throws BlockException;

    /** Gives up what only the old permissions needed. */
    @InCoroutine
    void commitPermissions(int used, int shared);

    /** Goes back to the old permissions. */
    @InCoroutine
    void abortPermissions();
  }
}
