package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.protocol.file.OnLoop;

/** The table of counts gets too small for its image. */
class OutgrownTableTest {
  private static final int CLUSTER_BYTES = 512;
  private static final int TABLE_OFFSET_FIELD = 48;

  /** The first table has 64 entries, for as many counts each. */
  private static final int COUNTED_BYTES = 64 * 64 * CLUSTER_BYTES;

  @TempDir Path directory;

  @Test
  void itsPlaceIsUsedAgain() throws Exception {
    OnLoop.run(
        context -> {
          Path image = directory.resolve("image.qcow2");
          Qcow2Files.create(
              context,
              image,
              new Qcow2Creator.Request(
                  8 << 20,
                  true,
                  CLUSTER_BYTES,
                  64,
                  false,
                  "zlib",
                  PreallocationMode.OFF,
                  null,
                  null,
                  Qcow2Creator.Extras.NONE));
          assertEquals(CLUSTER_BYTES, Qcow2Files.peek(image, TABLE_OFFSET_FIELD));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          byte[] content = Qcow2Files.filled(2 * COUNTED_BYTES, 7);
          disk.write(0, content);
          disk.backend.flush();
          CheckReport report = disk.check(CheckRepair.NONE);
          assertEquals(0, report.corruptions(), disk.lines.toString());
          assertEquals(0, report.leaks(), disk.lines.toString());
          assertArrayEquals(content, disk.read(0, content.length));
          disk.close();
          long table = Qcow2Files.peek(image, TABLE_OFFSET_FIELD);
          assertNotEquals(CLUSTER_BYTES, table);
          long firstBlock = Qcow2Files.peek(image, table);
          assertEquals(1, Qcow2Files.peek(image, firstBlock + Long.BYTES));
        });
  }
}
