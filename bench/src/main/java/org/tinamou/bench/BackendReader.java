package org.tinamou.bench;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.tinamou.aio.AioContext;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;

/** Reads a raw image the way a guest or a tool does: through a backend, a raw node and a file. */
final class BackendReader {
  private final AioContext loop;
  private final BlockBackend backend;
  private final List<IoVector> buffers = new ArrayList<>();

  private BackendReader(AioContext loop, BlockBackend backend) {
    this.loop = loop;
    this.backend = backend;
  }

  static BackendReader open(AioContext loop, Path file, MemorySegment[] buffers) throws Exception {
    BlockBackend backend =
        loop.runUntilDone(
            "open",
            () -> {
              BlockGraph graph = new BlockGraph(loop);
              NodeOpener opener = new NodeOpener(graph, Drivers.list());
              ImageAddress address = ImageAddress.ofName(file.toString(), "raw");
              BlockNode node = opener.open(address, NodeOptions.READ_ONLY, loop);
              BlockBackend opened =
                  new BlockBackend(graph, "", loop, Permission.CONSISTENT_READ, Permission.ALL);
              opened.insert(node);
              graph.release(node);
              return opened;
            });
    BackendReader reader = new BackendReader(loop, backend);
    for (MemorySegment buffer : buffers) {
      reader.buffers.add(IoVector.of(buffer));
    }
    return reader;
  }

  /** One coroutine for each buffer, which reads until all requests are made. */
  void round(int requests, LongSupplier nextOffset) throws Exception {
    int[] left = {requests};
    loop.runUntilDone(
        "round",
        () -> {
          List<AioContext.Forked<Boolean>> readers = new ArrayList<>();
          for (IoVector buffer : buffers) {
            readers.add(
                loop.fork(
                    "reader",
                    () -> {
                      while (left[0] > 0) {
                        left[0]--;
                        backend.read(nextOffset.getAsLong(), buffer, RequestFlags.NONE);
                      }
                      return true;
                    }));
          }
          for (AioContext.Forked<Boolean> reader : readers) {
            reader.join();
          }
          return true;
        });
  }

  void close() throws Exception {
    loop.runUntilDone(
        "close",
        () -> {
          backend.close();
          return true;
        });
  }
}
