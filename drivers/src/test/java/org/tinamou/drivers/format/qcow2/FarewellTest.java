package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.drivers.protocol.file.OnLoop;

/** Images are closed whose file does not take everything. */
class FarewellTest {
  @TempDir Path directory;

  private Path image() {
    return directory.resolve("image.qcow2");
  }

  /** From an event on the file fails, once or for good. */
  private Qcow2Files.Disk openFailing(AioContext context, String event, boolean once)
      throws Exception {
    Path rules = directory.resolve("rules");
    Files.writeString(
        rules,
        "[inject-error]\nevent = \"%s\"\nerrno = \"28\"\nonce = \"%s\"\n"
            .formatted(event, once ? "on" : "off"));
    return Qcow2Files.open(
        context,
        ImageAddress.ofName("blkdebug:" + rules + ":" + image(), "qcow2"),
        NodeOptions.READ_WRITE);
  }

  private static CheckReport checked(AioContext context, Path image) throws BlockException {
    Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_ONLY);
    try {
      return Objects.requireNonNull(disk.check(CheckRepair.NONE));
    } finally {
      disk.close();
    }
  }

  @Test
  void whatCannotBeWrittenIsToldByParts() throws Exception {
    OnLoop.run(
        context -> {
          Qcow2Files.create(context, image());
          Qcow2Files.Disk disk = openFailing(context, "l2_update", false);
          disk.write(1 << 19, Qcow2Files.filled(512, 1));
          assertEquals(
              Errno.ENOSPC, assertThrows(BlockException.class, disk.backend::flush).errno());
          disk.close();
          assertEquals(
              List.of(
                  "Failed to flush the L2 table cache: No space left on device",
                  "Failed to flush the refcount block cache: No space left on device"),
              disk.lines);
          assertEquals(0, checked(context, image()).corruptions());
        });
  }

  @Test
  void passingFaultLosesNothing() throws Exception {
    OnLoop.run(
        context -> {
          Qcow2Files.create(context, image());
          Qcow2Files.Disk disk = openFailing(context, "l2_update", true);
          disk.write(1 << 19, Qcow2Files.filled(512, 1));
          disk.close(); // without a flush before
          assertEquals(List.of(), disk.lines);
          CheckReport report = checked(context, image());
          assertEquals(0, report.corruptions());
          assertEquals(0, report.leaks());
          Qcow2Files.Disk again = Qcow2Files.open(context, image(), "qcow2", NodeOptions.READ_ONLY);
          assertEquals(1, again.read(1 << 19, 512)[511]);
          again.close();
        });
  }

  /** The larger first level gives its clusters back where the header could not name it. */
  @Test
  void failedGrowthLeavesNothingBehind() throws Exception {
    OnLoop.run(
        context -> {
          Qcow2Files.create(context, image(), Qcow2Creator.Request.ofSize(1 << 20));
          Qcow2Files.Disk disk = openFailing(context, "l1_grow_write_table", true);
          long large = 8L << 40;
          assertThrows(
              BlockException.class,
              () -> disk.backend.truncate(large, false, PreallocationMode.OFF));
          disk.close();
          assertEquals(List.of(), disk.lines);
          CheckReport report = checked(context, image());
          assertEquals(0, report.corruptions());
          assertEquals(0, report.leaks());
        });
  }
}
