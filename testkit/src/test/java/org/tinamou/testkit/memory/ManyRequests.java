package org.tinamou.testkit.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.Check;
import org.tinamou.base.IoVector;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.drivers.protocol.file.FileDriver;
import org.tinamou.drivers.protocol.file.FileOptions;

/**
 * A program that makes a million requests of 1 MiB, and a few hundred that need a bounce buffer.
 */
public final class ManyRequests {
  private static final int COROUTINES = 16;
  private static final int REQUESTS_EACH = 1_000_000 / COROUTINES;
  private static final int REQUEST_BYTES = 1 << 20;
  private static final int BOUNCED_REQUESTS = 400;

  private ManyRequests() {}

  /** Arguments: the engine, and a file of at least 2 MiB. */
  public static void main(String[] arguments) throws Exception {
    try (LoopHost host = new LoopHost(PollerKind.valueOf(arguments[0]));
        AioContext loop = host.newContext("requests", BusyPolling.OFF);
        Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(REQUEST_BYTES + 1);
      loop.runUntilDone("all", () -> writeAndRead(loop, buffer, Path.of(arguments[1])));
    }
    System.out.println("all requests done");
  }

  private static boolean writeAndRead(AioContext loop, MemorySegment buffer, Path file)
      throws Exception {
    int nothing = loop.hostFiles().open(Path.of("/dev/null"), 0, OpenFlag.READ_WRITE);
    MemorySegment first = buffer.asSlice(0, 4096);
    MemorySegment rest = buffer.asSlice(4096, REQUEST_BYTES - 4096);
    List<AioContext.Forked<Boolean>> writers = new ArrayList<>();
    for (int i = 0; i < COROUTINES; i++) {
      IoVector vector =
          i % 2 == 0
              ? IoVector.of(buffer.asSlice(0, REQUEST_BYTES))
              : IoVector.of(List.of(first, rest));
      writers.add(loop.fork("writer", () -> write(loop, nothing, vector)));
    }
    for (AioContext.Forked<Boolean> each : writers) {
      each.join();
    }
    loop.hostFiles().close(nothing);
    FileDriver driver =
        FileDriver.open(loop, file, file.toString(), FileOptions.writing(CacheMode.NONE));
    for (int i = 0; i < BOUNCED_REQUESTS; i++) {
      driver.read(IoVector.of(buffer.asSlice(1, REQUEST_BYTES)), i);
    }
    driver.close();
    return true;
  }

  private static boolean write(AioContext loop, int fd, IoVector vector) {
    for (int i = 0; i < REQUESTS_EACH; i++) {
      Check.state(loop.io().write(fd, vector, 0) == REQUEST_BYTES, "short write");
    }
    return true;
  }
}
