package org.tinamou.daemon.export;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.SocketAddress;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.Permission;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.object.IoThreadObject;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.qapi.Json;

/** The nodes that are shown to others, and the NBD server that shows them. Main loop. */
public final class Exports {
  private static final Pattern ID = Pattern.compile("[a-zA-Z][a-zA-Z0-9._-]*");
  private static final int MAX_STRING_LENGTH = 4096;
  private static final int BACKLOG = 128;

  /** A bitmap to be shown: of a node, or null for one of the exported chain. */
  public record BitmapName(@Nullable String node, String name) {}

  /**
   * What is asked of a new export.
   *
   * @param name null for the node's
   * @param iothread the loop it is to run in, or null for the node's
   * @param fixed whether it may run in that loop only
   */
  public record Request(
      String id,
      String nodeName,
      @Nullable String name,
      @Nullable String description,
      boolean writable,
      boolean writeThrough,
      @Nullable String iothread,
      boolean fixed,
      boolean allocationDepth,
      List<BitmapName> bitmaps) {}

  private final Daemon daemon;
  private final Map<String, Export> exports = new LinkedHashMap<>();
  private final Map<String, BlockBackend> drives = new LinkedHashMap<>();
  private final CoQueue changed = new CoQueue("exports");
  private @Nullable NbdServer server;
  private @Nullable SocketAddress address;
  private int maxConnections;

  public Exports(Daemon daemon) {
    this.daemon = daemon;
  }

  // -------------------------------------------------------------------------------------- server

  /** Starts the server. */
  @InCoroutine
  public void startServer(SocketAddress where, ServerOptions options) throws BlockException {
    refuseSecondServer();
    ListenSocket socket;
    try {
      socket = daemon.main().io().sockets().listen(where, backlog(options));
    } catch (IOException e) {
      Errno errno = e instanceof ErrnoException failed ? failed.errno() : Errno.EIO;
      throw new BlockException(errno, String.valueOf(e.getMessage()));
    }
    NbdServer started = new NbdServer(daemon.main(), options, NbdServer.Listener.NONE);
    started.listen(socket);
    server = started;
    address = where;
    maxConnections = options.maxConnections();
  }

  /** Refuses to start a server while there is one. */
  @HomeThread
  public void refuseSecondServer() throws BlockException {
    if (server != null) {
      throw new BlockException(Errno.EEXIST, "NBD server already running");
    }
  }

  private static int backlog(ServerOptions options) {
    int most = options.maxConnections();
    return most == 0 ? BACKLOG : Math.min(most, BACKLOG);
  }

  /** Refuses if there is no server. */
  @HomeThread
  public void requireServer() throws BlockException {
    runningServer();
  }

  private NbdServer runningServer() throws BlockException {
    NbdServer running = server;
    if (running == null) {
      throw new BlockException(Errno.ENOENT, "NBD server not running");
    }
    return running;
  }

  /** Ends all exports, whoever uses them, and the server. */
  @InCoroutine
  public void stopServer() throws BlockException {
    NbdServer running = runningServer();
    running.stop();
    for (Export each : List.copyOf(exports.values())) {
      if (!each.isShuttingDown()) {
        each.shutDown();
        end(running, each);
      }
    }
    while (!exports.isEmpty()) {
      changed.await();
    }
    if (server == running) {
      server = null;
      removeSocket();
    }
  }

  private void removeSocket() {
    if (address instanceof SocketAddress.Unix unix && !unix.isAbstract()) {
      daemon.main().callBlocking(() -> java.nio.file.Path.of(unix.path()).toFile().delete());
    }
  }

  // ------------------------------------------------------------------------------------- exports

  /** The export of that id. */
  @HomeThread
  public Export get(String id) throws BlockException {
    Export found = exports.get(id);
    if (found == null) {
      throw new BlockException(Errno.ENOENT, "Export '" + id + "' is not found");
    }
    return found;
  }

  /** The export whose requests go through a backend, or null. */
  @HomeThread
  public @Nullable Export through(BlockBackend backend) {
    for (Export each : exports.values()) {
      if (each.backend() == backend) {
        return each;
      }
    }
    return null;
  }

  /** Refuses what cannot be the id of one more export. */
  @HomeThread
  public void refuseId(String id) throws BlockException {
    if (!ID.matcher(id).matches()) {
      throw new BlockException(Errno.EINVAL, "Invalid block export id");
    }
    if (exports.containsKey(id)) {
      throw new BlockException(Errno.EEXIST, "Block export id '" + id + "' is already in use");
    }
  }

  /** Shows a node to NBD clients. */
  @InCoroutine
  public void add(Request request) throws BlockException {
    refuseId(request.id());
    BlockNode node = daemon.nodes().find(null, request.nodeName());
    if (request.writable() && node.isReadOnly()) {
      throw new BlockException(Errno.EACCES, "Cannot export read-only node as writable");
    }
    goToLoop(node, request);
    BlockBackend backend = backend(node, request);
    boolean good = false;
    try {
      show(backend, node, request);
      good = true;
    } finally {
      if (!good) {
        backend.close();
      }
    }
  }

  private void goToLoop(BlockNode node, Request request) throws BlockException {
    String id = request.iothread();
    if (id == null) {
      return;
    }
    if (!(daemon.objects().find(id) instanceof IoThreadObject thread)) {
      throw new BlockException(Errno.ENOENT, "iothread \"" + id + "\" not found");
    }
    try {
      daemon.graph().moveToContext(node, thread.context());
    } catch (BlockException refused) {
      if (request.fixed()) {
        throw refused;
      }
    }
  }

  private BlockBackend backend(BlockNode node, Request request) throws BlockException {
    int used = Permission.CONSISTENT_READ | (request.writable() ? Permission.WRITE : 0);
    BlockBackend backend =
        new BlockBackend(daemon.graph(), "", node.context(), used, Permission.ALL);
    backend.setFollowsNode(!request.fixed());
    backend.setWriteThrough(request.writeThrough());
    try {
      backend.insert(node);
      requireServer();
      backend.setPermissions(used, Permission.ALL & ~Permission.RESIZE);
    } catch (BlockException refused) {
      backend.close();
      throw refused;
    }
    return backend;
  }

  private void show(BlockBackend backend, BlockNode node, Request request) throws BlockException {
    NbdServer running = runningServer();
    String name = request.name() == null ? request.nodeName() : request.name();
    String description = request.description() == null ? "" : request.description();
    refuseLong("export name", name);
    refuseLong("description", description);
    if (running.find(name) != null) {
      throw new BlockException(Errno.EEXIST, "NBD server already has export named '" + name + "'");
    }
    List<DirtyBitmap> bitmaps = bitmaps(node, request);
    BlockExport shown =
        new BlockExport(
            backend,
            new ExportSettings(
                name,
                description,
                !request.writable(),
                !request.writable() || maxConnections != 1,
                0,
                request.allocationDepth(),
                bitmaps));
    bitmaps.forEach(each -> each.setBusy(true));
    backend.onMove(() -> running.moved(shown));
    running.add(shown);
    exports.put(request.id(), new Export(request.id(), backend, shown, bitmaps));
  }

  private static void refuseLong(String what, String text) throws BlockException {
    if (text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length > MAX_STRING_LENGTH) {
      throw new BlockException(Errno.EINVAL, what + " '" + text + "' too long");
    }
  }

  private List<DirtyBitmap> bitmaps(BlockNode node, Request request) throws BlockException {
    List<DirtyBitmap> found = new ArrayList<>();
    for (BitmapName each : request.bitmaps()) {
      DirtyBitmap bitmap =
          each.node() == null
              ? inChain(node, each.name())
              : daemon.nodes().find(each.node()).bitmaps().get(each.name());
      bitmap.checkUsable(DirtyBitmap.Use.READ);
      if (!request.writable() && !node.isReadOnly() && bitmap.isEnabled()) {
        throw new BlockException(
            Errno.EINVAL, "Enabled bitmap '" + each.name() + "' incompatible with readonly export");
      }
      if (!found.contains(bitmap)) {
        found.add(bitmap);
      }
    }
    return found;
  }

  private static DirtyBitmap inChain(BlockNode top, String name) throws BlockException {
    BlockNode at = top;
    while (true) {
      DirtyBitmap found = at.bitmaps().find(name);
      if (found != null) {
        return found;
      }
      Edge below = Edge.below(at);
      if (below == null) {
        throw new BlockException(Errno.ENOENT, "Bitmap '" + name + "' is not found");
      }
      at = below.child();
    }
  }

  // -------------------------------------------------------------------------------------- ending

  /**
   * Shows a node no longer. Clients that still use it are cut off, without waiting until that is
   * done.
   *
   * @param safe refuse if there are any
   */
  @InCoroutine
  public void remove(String id, boolean safe) throws BlockException {
    Export export = get(id);
    NbdServer running = runningServer();
    boolean used = running.isUsed(export.shown());
    if (safe && used) {
      throw new BlockException(Errno.EBUSY, "export '" + id + "' still in use")
          .withHint("Use mode='hard' to force client disconnect\n");
    }
    if (export.isShuttingDown()) {
      return;
    }
    export.shutDown();
    if (used) {
      daemon.main().spawn("end of export " + id, () -> end(running, export));
    } else {
      end(running, export);
    }
  }

  /** An export of what is in a drive: it ends when that is taken out. */
  @HomeThread
  public void endWithMedium(String id, BlockBackend drive) {
    drives.put(id, drive);
  }

  /** The medium of a drive is being taken out. */
  @InCoroutine
  public void mediumLeaves(BlockBackend drive) throws BlockException {
    for (String id : List.copyOf(drives.keySet())) {
      if (drives.get(id) == drive) {
        remove(id, false);
      }
    }
  }

  @InCoroutine
  private void end(NbdServer running, Export export) {
    drives.remove(export.id());
    running.remove(export.shown());
    export.bitmaps().forEach(each -> each.setBusy(false));
    export.backend().close();
    exports.remove(export.id());
    daemon.events().emit("BLOCK_EXPORT_DELETED", new Json.Members().put("id", export.id()));
    changed.wakeAll();
  }

  /** All of them, the newest first. */
  @HomeThread
  public Json report() {
    Json.Array all = new Json.Array();
    new ArrayList<>(exports.values()).reversed().forEach(each -> all.add(each.report()));
    return all;
  }

  /** Ends everything. */
  @InCoroutine
  public void close() {
    if (server != null) {
      try {
        stopServer();
      } catch (BlockException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
