package org.tinamou.api;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.GraphDump;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;

/**
 * The threads on which disks live: a main loop, on which they are opened, changed and closed, and
 * as many further loops as are asked for. Safe for use by any thread, except those loops.
 *
 * <p>Most programs need none of their own: {@link VirtualDisk#open} uses a shared one, which lasts
 * as long as the program and does not keep it from ending.
 */
public final class DiskRuntime implements AutoCloseable {
  private static final class Shared {
    static final DiskRuntime RUNTIME = new DiskRuntime(true);
  }

  /** How long a loop of its own looks for work before it waits. */
  private static final long POLL_MAX_NANOS = 32_000;

  private final LoopHost host = new LoopHost(PollerKind.AUTO);
  private final IoThread main;
  private final BlockGraph graph;
  private final NodeOpener opener;
  private final TransferBuffers buffers = new TransferBuffers();
  private final ReentrantLock lock = new ReentrantLock();
  private final Set<VirtualDisk> disks = new LinkedHashSet<>();
  private final List<DiskLoop> loops = new ArrayList<>();
  private final boolean isShared;
  private boolean closed;

  private DiskRuntime(boolean isShared) {
    this.isShared = isShared;
    main = host.startIoThread("tinamou main", BusyPolling.OFF);
    graph = new BlockGraph(main.context());
    opener = new NodeOpener(graph, Drivers.list());
  }

  /** Threads of the caller's own. */
  public static DiskRuntime start() {
    return new DiskRuntime(false);
  }

  /** The one that disks use which are opened without another. */
  public static DiskRuntime shared() {
    return Shared.RUNTIME;
  }

  /**
   * Opens an image.
   *
   * @throws DiskException with a message for the user
   */
  public VirtualDisk open(DiskOptions options) throws DiskException {
    VirtualDisk disk = VirtualDisk.open(this, options);
    lock.lock();
    try {
      if (!closed) {
        disks.add(disk);
        return disk;
      }
    } finally {
      lock.unlock();
    }
    disk.close();
    throw new DiskException(Errno.ESHUTDOWN, "the disk runtime is closed", null, null);
  }

  void forget(VirtualDisk disk) {
    lock.lock();
    try {
      disks.remove(disk);
    } finally {
      lock.unlock();
    }
  }

  /** Another thread for disks; see {@link VirtualDisk#moveTo}. It lasts until this is closed. */
  public DiskLoop startLoop(String name) {
    lock.lock();
    try {
      Check.state(!closed, "the disk runtime is closed");
      DiskLoop loop =
          new DiskLoop(host.startIoThread(name, new BusyPolling(POLL_MAX_NANOS, 0, 0)), name);
      loops.add(loop);
      return loop;
    } finally {
      lock.unlock();
    }
  }

  /** All nodes, edges and open drained sections, for people who look for what is stuck. */
  public String dumpGraph() throws DiskException {
    return ForeignThread.await(onMain("dump", () -> GraphDump.text(graph)));
  }

  BlockGraph graph() {
    return graph;
  }

  /** What opens nodes that may refer to such secrets. */
  NodeOpener opener(DiskSecrets secrets) throws DiskException {
    return secrets == DiskSecrets.NONE
        ? opener
        : new NodeOpener(graph, Drivers.list(secrets.toRegistry()));
  }

  TransferBuffers buffers() {
    return buffers;
  }

  AioContext main() {
    return main.context();
  }

  <T> CompletableFuture<T> onMain(String name, Callable<T> body) {
    return on(main.context(), name, body);
  }

  static <T> CompletableFuture<T> on(AioContext context, String name, Callable<T> body) {
    return context.submit(name, body);
  }

  /** Closes all disks, then the threads. */
  @Override
  public void close() throws DiskException {
    Check.state(!isShared, "the shared runtime lasts as long as the program");
    List<VirtualDisk> open;
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      open = List.copyOf(disks);
    } finally {
      lock.unlock();
    }
    for (VirtualDisk disk : open) {
      disk.close();
    }
    for (DiskLoop loop : loops) {
      loop.thread().close();
    }
    main.close();
    host.close();
    buffers.close();
  }
}
