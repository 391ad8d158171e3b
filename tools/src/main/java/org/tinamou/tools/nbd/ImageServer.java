package org.tinamou.tools.nbd;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.SocketAddress;
import org.tinamou.aio.SocketHost;
import org.tinamou.aio.StreamSocket;
import org.tinamou.block.BlockException;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.daemon.export.BlockExport;
import org.tinamou.daemon.export.ExportSettings;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.nbd.server.ServerTls;
import org.tinamou.objects.tls.TlsCredentials;
import org.tinamou.tools.cli.BackgroundWorker;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Interruptions;
import org.tinamou.tools.cli.ProbeWarning;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;
import org.tinamou.tools.image.SnapshotChoice;

/** Serves one image until it is told to stop, or its last client has gone. */
final class ImageServer implements NbdServer.Listener {
  private static final int MAX_BACKLOG = 128;
  private static final long NANOS_A_SECOND = 1_000_000_000L;

  private final AioContext context;
  private final Console console;
  private final NbdOptions options;
  private @Nullable Coroutine main;
  private volatile boolean stopping;

  /** The server ends with the connection it was started with. */
  private boolean onlyClient;

  ImageServer(AioContext context, Console console, NbdOptions options) {
    this.context = context;
    this.console = console;
    this.options = options;
  }

  @InCoroutine
  int run(String file) throws ToolException {
    main = Coroutine.current();
    SocketAddress passed = ServerAddress.passed(options);
    OpenImage image = open(file);
    try {
      showSnapshot(image);
      List<DirtyBitmap> bitmaps = bitmaps(image);
      if (image.isGuessedRaw()) {
        ProbeWarning.print(console, file);
      }
      if (options.offsetBytes > image.lengthBytes()) {
        throw new ToolException("Invalid offset '" + options.offsetBytes + "'");
      }
      if (options.device != null) {
        throw DeviceOptions.cannotConnect(options.device);
      }
      // A program that passes a listening socket wants that one used.
      onlyClient = options.stdio && passed == null;
      if (onlyClient) {
        serve(image, bitmaps, server -> server.serve(standardStreams()));
        return 0;
      }
      SocketAddress address = passed == null ? ServerAddress.of(options) : passed;
      ListenSocket socket = listen(address);
      serve(image, bitmaps, server -> server.listen(socket));
      return 0;
    } finally {
      image.flushAndClose();
    }
  }

  private OpenImage open(String file) throws ToolException {
    OpenRequest request = options.request(file).under(console.imagePolicy());
    String prefix = "Failed to blk_new_open '" + file + "': ";
    OpenImage image;
    try {
      image = OpenImage.open(context, request, options.objects.registry());
    } catch (BlockException e) {
      throw ToolException.of(prefix, e);
    }
    if (options.usesNativeAio() && image.isHostFile() && !image.isDirect()) {
      image.close();
      throw new ToolException(
          prefix
              + "aio=native was specified, but it requires cache.direct=on, which was not"
              + " specified.");
    }
    return image;
  }

  private void showSnapshot(OpenImage image) throws ToolException {
    SnapshotChoice snapshot = options.loadSnapshot;
    if (snapshot != null) {
      snapshot.show(image);
    }
  }

  private List<DirtyBitmap> bitmaps(OpenImage image) throws ToolException {
    List<DirtyBitmap> found = new ArrayList<>();
    for (String name : options.bitmaps) {
      DirtyBitmap bitmap = image.bitmaps().findInChain(name);
      if (bitmap == null) {
        throw new ToolException("Bitmap '" + name + "' is not found");
      }
      if (found.contains(bitmap)) {
        continue;
      }
      try {
        bitmap.checkUsable(DirtyBitmap.Use.READ);
      } catch (BlockException e) {
        throw ToolException.of("", e);
      }
      found.add(bitmap);
    }
    return found;
  }

  private ListenSocket listen(SocketAddress address) throws ToolException {
    int backlog = options.shared == 0 ? MAX_BACKLOG : Math.min(options.shared, MAX_BACKLOG);
    try {
      return context.io().sockets().listen(address, backlog);
    } catch (IOException e) {
      throw new ToolException(String.valueOf(e.getMessage()));
    }
  }

  /** Standard input and output as a connection: mostly a socket, else two pipes. */
  private StreamSocket standardStreams() throws ToolException {
    SocketHost sockets = context.io().sockets();
    Path input = Path.of("/proc/self/fd/0");
    try {
      boolean socket =
          context
              .callBlocking(() -> Files.readSymbolicLink(input))
              .toString()
              .startsWith("socket:");
      return socket
          ? sockets.connect(new SocketAddress.Descriptor(0))
          : sockets.characters().of(0, 1, true);
    } catch (IOException e) {
      throw new ToolException("standard input is no connection: " + e.getMessage());
    }
  }

  /** How clients come to a server. */
  private interface Beginning {
    void begin(NbdServer server) throws ToolException;
  }

  private void serve(OpenImage image, List<DirtyBitmap> bitmaps, Beginning beginning)
      throws ToolException {
    TlsCredentials credentials = options.credentials(TlsCredentials.Endpoint.SERVER);
    ServerOptions limits =
        ServerOptions.DEFAULT
            .withTls(
                credentials == null ? null : new ServerTls(credentials, options.authorization()))
            .withMaxConnections(options.shared)
            .withHandshakeNanos(options.handshakeSeconds * NANOS_A_SECOND);
    NbdServer server = new NbdServer(context, limits, this);
    server.add(
        new BlockExport(
            image.backend(),
            new ExportSettings(
                options.exportName == null ? "" : options.exportName,
                options.description == null ? "" : options.description,
                options.readOnly,
                options.readOnly || options.shared != 1,
                options.offsetBytes,
                options.allocationDepth,
                bitmaps)));
    bitmaps.forEach(bitmap -> bitmap.setBusy(true));
    try {
      writePid();
      beginning.begin(server);
      Interruptions.onEndAsked(this::stop);
      BackgroundWorker.tellReady();
      while (!stopping) {
        Coroutine.suspend("end of the server");
      }
    } finally {
      server.stop();
      bitmaps.forEach(bitmap -> bitmap.setBusy(false));
      removeSocket();
    }
  }

  private void stop() {
    stopping = true;
    Coroutine waiting = main;
    if (waiting != null) {
      waiting.wake();
    }
  }

  @Override
  public void connections(int count) {
    if (count == 0 && onlyClient) {
      stop();
    }
  }

  @Override
  public void handshakeFailed(String reason) {
    console.error("option negotiation failed: " + reason);
  }

  @Override
  public void sessionFailed(String reason) {
    if (options.verbose) {
      console.error(reason);
    }
  }

  @Override
  public void sessionEnded(int connectionsLeft) {
    if (connectionsLeft == 0 && !options.persistent) {
      stop();
    }
  }

  private void writePid() throws ToolException {
    String file = options.pidFile;
    if (file == null) {
      return;
    }
    try {
      context.callBlocking(
          () -> Files.writeString(Path.of(file), ProcessHandle.current().pid() + "\n"));
    } catch (IOException e) {
      throw new ToolException("Cannot open PID file: " + e.getMessage());
    }
  }

  private void removeSocket() {
    String path = options.socket;
    if (path != null) {
      context.callBlocking(() -> Path.of(path).toFile().delete());
    }
  }
}
