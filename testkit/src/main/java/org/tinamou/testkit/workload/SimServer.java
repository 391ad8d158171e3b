package org.tinamou.testkit.workload;

import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.SocketAddress;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.qapi.Json;
import org.tinamou.testkit.net.MemoryExport;

/** An NBD server with one export, in a loop of its own. */
final class SimServer {
  private final AioContext loop;
  private final String path;
  private @Nullable NbdServer server;

  private SimServer(AioContext loop, String path) {
    this.loop = loop;
    this.path = path;
  }

  /** Starts it; in a coroutine. */
  static SimServer start(AioContext loop, String path, MemoryExport export) {
    SimServer made = new SimServer(loop, path);
    SocketAddress address = new SocketAddress.Unix(path);
    loop.spawn(
            "start server",
            () -> {
              NbdServer server =
                  new NbdServer(loop, ServerOptions.DEFAULT, NbdServer.Listener.NONE);
              server.add(export);
              try {
                server.listen(loop.io().sockets().listen(address, 16));
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
              made.server = server;
            })
        .join();
    return made;
  }

  /** A node that is a client of it. */
  BlockNode client(BlockGraph graph, String name, int reconnectSeconds, AioContext home)
      throws BlockException {
    Json.Members options =
        new Json.Members()
            .put("driver", "nbd")
            .put("node-name", name)
            .put("server.type", "unix")
            .put("server.path", path)
            .put("reconnect-delay", Integer.toString(reconnectSeconds))
            .put("open-timeout", "10");
    return new NodeOpener(graph, Drivers.list())
        .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, home);
  }

  /** Stops it; in a coroutine. */
  void stop() {
    loop.spawn("stop server", () -> Objects.requireNonNull(server).stop()).join();
  }
}
