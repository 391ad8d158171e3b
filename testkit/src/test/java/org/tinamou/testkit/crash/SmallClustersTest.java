package org.tinamou.testkit.crash;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.AioContext;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
import org.tinamou.testkit.sim.Simulation;

/** Images of the smallest clusters, where one block of counts is little and a header is short. */
class SmallClustersTest {
  private static final CrashConfig CONFIG =
      new CrashConfig(true, 512, 64, false, false, false, false, 0, 0, false);

  /** What is done in the simulator. */
  private interface Body {
    void run(AioContext context, RecordedType files) throws Exception;
  }

  private static CrashImage open(AioContext context, RecordedType files) throws Exception {
    return CrashImage.open(context, files, "image", "", CONFIG, NodeOptions.READ_WRITE);
  }

  private static void play(Body body) {
    Simulation simulation = new Simulation(1, false);
    AioContext main = simulation.newLoop("main");
    main.spawn(
        "small clusters",
        () -> {
          RecordedType files = new RecordedType(new SeededRandom(1));
          files.put("image", new RecordedFile(new byte[0]));
          CrashImage file = CrashImage.openFile(main, files, "image");
          Qcow2Creator.create(file.backend(), CONFIG.request());
          file.close();
          body.run(main, files);
        });
    assertTrue(simulation.run(10_000_000), "still busy");
    simulation.closeLoops();
  }

  private static void assertSound(CrashImage image) throws Exception {
    List<String> lines = new ArrayList<>();
    assertTrue(image.check(lines::add).isClean(), lines::toString);
  }

  /** The first level takes more clusters in a row than one block counts, and then than 64 do. */
  @Test
  void tablesMayTakeMoreClustersThanOneBlockCounts() {
    play(
        (context, files) -> {
          CrashImage image = open(context, files);
          image.write(512, 1024, 2, 0);
          byte[] before = image.readAll();
          for (long size : new long[] {1L << 30, 20L << 30}) {
            image.backend().truncate(size, true, PreallocationMode.OFF);
            assertSound(image);
          }
          image.backend().truncate(before.length, true, PreallocationMode.OFF);
          image.close();
          CrashImage again = open(context, files);
          assertArrayEquals(before, again.readAll());
          assertSound(again);
          again.close();
          assertTrue(files.file("image").size() < 20 << 20, "size " + files.file("image").size());
        });
  }

  /** The header has no room for a bitmap beside the names of all features. */
  @Test
  void aBitmapIsWorthMoreThanTheNamesOfFeatures() {
    play(
        (context, files) -> {
          CrashImage image = open(context, files);
          image.addBitmap("kept");
          image.close();
          CrashImage again = open(context, files);
          assertEquals(1, again.bitmaps().size());
          assertFalse(again.bitmaps().getFirst().isInconsistent());
          assertSound(again);
          again.close();
        });
  }
}
