package org.tinamou.testkit.crash;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
import org.tinamou.testkit.sim.Simulation;

/** One write or flush fails in the middle of a change of the whole image, which goes on in use. */
class FailedChangeTest {
  private static final int CLUSTER_BYTES = 1024;
  private static final CrashConfig CONFIG =
      new CrashConfig(true, CLUSTER_BYTES, 64, false, false, false, false, 0, 0, false);

  /** A change of the whole image. */
  enum Change {
    CREATE {
      @Override
      void run(CrashImage image) throws BlockException {
        image.snapshots().createSnapshot("second", 0, 0, 0);
      }
    },
    APPLY {
      @Override
      void run(CrashImage image) throws BlockException {
        image.snapshots().applySnapshot("1");
      }
    },
    DELETE {
      @Override
      void run(CrashImage image) throws BlockException {
        image.snapshots().deleteSnapshot("1");
      }
    };

    abstract void run(CrashImage image) throws BlockException;
  }

  private static CrashImage open(AioContext context, RecordedType files) throws BlockException {
    return CrashImage.open(context, files, "image", "", CONFIG, NodeOptions.READ_WRITE);
  }

  /** Data, a snapshot of it, and other data in its place. */
  private static RecordedType prepare(AioContext context) throws BlockException {
    RecordedType files = new RecordedType(new SeededRandom(1));
    files.put("image", new RecordedFile(new byte[0]));
    CrashImage file = CrashImage.openFile(context, files, "image");
    Qcow2Creator.create(file.backend(), CONFIG.request());
    file.close();
    CrashImage image = open(context, files);
    image.write(0, 8L * CLUSTER_BYTES, 2, RequestFlags.NONE);
    image.snapshots().createSnapshot("first", 0, 0, 0);
    image.write(0, 4L * CLUSTER_BYTES, 3, RequestFlags.NONE);
    image.close();
    return files;
  }

  /** Returns whether the failure came in the middle of the change. */
  @InCoroutine
  private static boolean playFailure(AioContext context, Change change, int failAt)
      throws BlockException {
    RecordedType files = prepare(context);
    CrashImage image = open(context, files);
    boolean failed = false;
    files.failOnce(failAt);
    try {
      change.run(image);
    } catch (BlockException e) {
      assertTrue(e.getMessage().contains("injected"), e.getMessage());
      failed = true;
    }
    files.failOnce(0);
    // The disk can be used as before, also where clusters have become free.
    for (int content = 4; content < 8; content++) {
      image.write((10L + 8 * (content - 4)) * CLUSTER_BYTES, 8L * CLUSTER_BYTES, content, 0);
    }
    image.backend().flush();
    byte[] expected = image.readAll();
    image.close();

    CrashImage again = open(context, files);
    List<String> lines = new ArrayList<>();
    assertEquals(0, again.check(lines::add).corruptions(), () -> failAt + ": " + lines.getFirst());
    assertArrayEquals(expected, again.readAll(), "failure " + failAt);
    String id = change == Change.DELETE ? null : "1";
    if (id != null) {
      again.snapshots().applySnapshot(id);
      byte[] kept = Arrays.copyOf(again.readAll(), 8 * CLUSTER_BYTES);
      for (int i = 0; i < kept.length; i++) {
        assertEquals(GuestModel.byteAt(2, i), kept[i], "failure " + failAt);
      }
    }
    again.close();
    return failed;
  }

  @ParameterizedTest
  @EnumSource(Change.class)
  void leavesAnImageThatCanBeUsed(Change change) {
    Simulation simulation = new Simulation(1, false);
    AioContext main = simulation.newLoop("main");
    int[] failures = new int[1];
    main.spawn(
        "change",
        () -> {
          while (playFailure(main, change, failures[0] + 1)) {
            failures[0]++;
          }
        });
    assertTrue(simulation.run(10_000_000), "still busy");
    simulation.closeLoops();
    assertTrue(failures[0] >= 8, "too few failures: " + failures[0]);
  }
}
