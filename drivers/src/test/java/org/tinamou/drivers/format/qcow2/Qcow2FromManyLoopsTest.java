package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.NodeOptions;

/** Requests on one image come from several threads at once, ordinary loops and copying ones. */
class Qcow2FromManyLoopsTest {
  private static final int THREADS = 4;
  private static final int REQUESTS = 400;
  private static final int SIZE_BYTES = 4 << 20;
  private static final int STRIPE_BYTES = 4096;

  @TempDir Path directory;

  /** Every thread has stripes of its own, so that clusters and tables are everybody's. */
  @Test
  void noRequestIsLost() throws Exception {
    byte[] expected = new byte[SIZE_BYTES];
    Path image = directory.resolve("many.qcow2");
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      List<IoThread> threads = new ArrayList<>();
      for (int index = 0; index < THREADS; index++) {
        threads.add(
            index % 2 == 0
                ? host.startIoThread("loop " + index, BusyPolling.OFF)
                : host.startCopyingThread("copy " + index));
      }
      main.runUntilDone(
          "test",
          () -> {
            Qcow2Files.create(main, image, Qcow2Creator.Request.ofSize(SIZE_BYTES));
            Qcow2Files.Disk disk = Qcow2Files.open(main, image, "qcow2", NodeOptions.READ_WRITE);
            List<AioContext.Forked<Boolean>> writers = new ArrayList<>();
            for (int index = 0; index < THREADS; index++) {
              int own = index;
              writers.add(
                  threads
                      .get(index)
                      .context()
                      .fork("writer " + index, () -> use(disk, own, expected)));
            }
            for (AioContext.Forked<Boolean> writer : writers) {
              writer.join();
            }
            disk.backend.flush();
            assertArrayEquals(expected, disk.read(0, SIZE_BYTES));
            assertTrue(disk.check(CheckRepair.NONE).isClean(), disk.lines.toString());
            disk.close();
            return true;
          });
      threads.forEach(IoThread::close);
    }
  }

  private static Boolean use(Qcow2Files.Disk disk, int own, byte[] expected) throws Exception {
    SeededRandom random = new SeededRandom(own);
    for (int request = 0; request < REQUESTS; request++) {
      int stripe = random.nextInt(SIZE_BYTES / STRIPE_BYTES / THREADS) * THREADS + own;
      int offset = stripe * STRIPE_BYTES;
      switch (random.nextInt(4)) {
        case 0, 1 -> {
          byte[] bytes = Qcow2Files.filled(STRIPE_BYTES, 1 + random.nextInt(255));
          disk.write(offset, bytes);
          System.arraycopy(bytes, 0, expected, offset, STRIPE_BYTES);
        }
        case 2 -> {
          disk.backend.writeZeroes(offset, STRIPE_BYTES, 0);
          Arrays.fill(expected, offset, offset + STRIPE_BYTES, (byte) 0);
        }
        default ->
            assertArrayEquals(
                Arrays.copyOfRange(expected, offset, offset + STRIPE_BYTES),
                disk.read(offset, STRIPE_BYTES));
      }
    }
    return true;
  }
}
