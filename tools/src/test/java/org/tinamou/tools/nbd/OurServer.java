package org.tinamou.tools.nbd;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.SocketAddress;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.daemon.export.BlockExport;
import org.tinamou.daemon.export.ExportSettings;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** A server of one image in the test's own process. */
public final class OurServer implements AutoCloseable {
  private final LoopHost host;
  private final IoThread thread;
  private final Path socket;
  private OpenImage image;
  private NbdServer server;

  private OurServer(PollerKind kind, Path socket) {
    this.host = new LoopHost(kind);
    this.thread = host.startIoThread("server", BusyPolling.OFF);
    this.socket = socket;
  }

  public static OurServer start(PollerKind kind, Path image, String format, Path socket)
      throws Exception {
    return start(kind, image, format, socket, ServerOptions.DEFAULT);
  }

  public static OurServer start(
      PollerKind kind, Path image, String format, Path socket, ServerOptions options)
      throws Exception {
    OurServer made = new OurServer(kind, socket);
    made.thread
        .context()
        .submit(
            "start",
            () -> {
              made.open(image, format, options);
              return true;
            })
        .get();
    return made;
  }

  private void open(Path file, String format, ServerOptions options) throws Exception {
    image =
        OpenImage.open(
            thread.context(), OpenRequest.writing(file.toString(), format, CacheMode.WRITEBACK));
    server = new NbdServer(thread.context(), options, NbdServer.Listener.NONE);
    server.add(
        new BlockExport(
            image.backend(), new ExportSettings("", "a disk", false, true, 0, true, List.of())));
    server.listen(
        thread.context().io().sockets().listen(new SocketAddress.Unix(socket.toString()), 32));
  }

  public String uri() {
    return "nbd+unix:///?socket=" + socket;
  }

  int connections() throws ExecutionException, InterruptedException {
    return thread.context().submit("count", server::connectionCount).get();
  }

  @Override
  public void close() throws Exception {
    thread
        .context()
        .submit(
            "stop",
            () -> {
              server.stop();
              image.flushAndClose();
              return true;
            })
        .get();
    thread.close();
    host.close();
  }
}
