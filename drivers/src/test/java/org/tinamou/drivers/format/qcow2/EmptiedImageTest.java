package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.drivers.protocol.file.OnLoop;

/** Images forget what they hold. */
class EmptiedImageTest {
  /** The header, the table of counts, a block of them, the first level. */
  private static final int NEW_IMAGE_BYTES = 4 * Qcow2Files.CLUSTER_BYTES;

  @TempDir Path directory;

  private Path image() {
    return directory.resolve("image.qcow2");
  }

  private Qcow2Files.Disk open(AioContext context) throws BlockException {
    return Qcow2Files.open(context, image(), "qcow2", NodeOptions.READ_WRITE);
  }

  private static void empty(Qcow2Files.Disk disk) throws BlockException {
    ((OverlayImage) Objects.requireNonNull(disk.node.driverOrNull())).makeEmpty();
  }

  private static void assertSound(Qcow2Files.Disk disk) throws BlockException {
    CheckReport report = disk.check(CheckRepair.NONE);
    assertEquals(0, report.corruptions(), disk.lines.toString());
    assertEquals(0, report.leaks(), disk.lines.toString());
    assertEquals(0, report.checkErrors(), disk.lines.toString());
  }

  @Test
  void isAsShortAsNewOneAndTakesData() throws Exception {
    OnLoop.run(
        context -> {
          Qcow2Files.create(context, image());
          Qcow2Files.Disk disk = open(context);
          disk.write(1 << 19, Qcow2Files.filled(512, 1)); // known to memory alone
          empty(disk);
          assertEquals(NEW_IMAGE_BYTES, Files.size(image()));
          assertSound(disk);
          assertArrayEquals(new byte[1 << 20], disk.read(0, 1 << 20));
          disk.write(1 << 18, Qcow2Files.filled(4096, 2));
          disk.close();
          assertEquals(List.of(), disk.lines);
          Qcow2Files.Disk again = open(context);
          assertEquals(List.of(), again.lines); // nothing to repair
          assertSound(again);
          assertArrayEquals(Qcow2Files.filled(4096, 2), again.read(1 << 18, 4096));
          assertArrayEquals(new byte[1 << 18], again.read(0, 1 << 18));
          again.close();
        });
  }

  @Test
  void snapshotsStayWhatTheyAre() throws Exception {
    OnLoop.run(
        context -> {
          Qcow2Files.create(context, image());
          Qcow2Files.Disk disk = open(context);
          InternalSnapshots snapshots =
              (InternalSnapshots) Objects.requireNonNull(disk.node.driverOrNull());
          snapshots.createSnapshot("kept", 0, 0, 0);
          empty(disk);
          assertTrue(Files.size(image()) > NEW_IMAGE_BYTES);
          assertSound(disk);
          assertArrayEquals(new byte[1 << 20], disk.read(0, 1 << 20));
          snapshots.applySnapshot("1");
          assertArrayEquals(
              Qcow2Files.filled(Qcow2Files.DATA_BYTES, 0xcd), disk.read(0, Qcow2Files.DATA_BYTES));
          disk.close();
        });
  }

  /** Where everything fails from some event on, the next who opens the image finds it sound. */
  @ParameterizedTest
  @CsvSource({"l1_update,205", "empty_image_prepare,0", "refblock_alloc,0", "reftable_update,0"})
  void faultInBetweenIsRepairedByTheNextOpening(String event, int content) throws Exception {
    OnLoop.run(
        context -> {
          Qcow2Files.create(context, image());
          Path rules = directory.resolve("rules");
          Files.writeString(rules, "[inject-error]\nevent = \"%s\"\n".formatted(event));
          Qcow2Files.Disk disk =
              Qcow2Files.open(
                  context,
                  ImageAddress.ofName("blkdebug:" + rules + ":" + image(), "qcow2"),
                  NodeOptions.READ_WRITE);
          assertEquals(Errno.EIO, assertThrows(BlockException.class, () -> empty(disk)).errno());
          // Nobody knows any more what the file holds.
          assertEquals(
              Errno.ENOMEDIUM, assertThrows(BlockException.class, () -> disk.read(0, 512)).errno());
          disk.close();
          assertEquals(List.of(), disk.lines);
          Qcow2Files.Disk again = open(context);
          assertSound(again);
          assertArrayEquals(Qcow2Files.filled(4096, content), again.read(0, 4096));
          again.close();
        });
  }

  @Test
  void passingFaultBeforeAnythingIsForgottenLosesNothing() throws Exception {
    OnLoop.run(
        context -> {
          Qcow2Files.create(context, image());
          Path rules = directory.resolve("rules");
          Files.writeString(rules, "[inject-error]\nevent = \"l1_update\"\nonce = \"on\"\n");
          Qcow2Files.Disk disk =
              Qcow2Files.open(
                  context,
                  ImageAddress.ofName("blkdebug:" + rules + ":" + image(), "qcow2"),
                  NodeOptions.READ_WRITE);
          assertThrows(BlockException.class, () -> empty(disk));
          assertArrayEquals(Qcow2Files.filled(4096, 0xcd), disk.read(0, 4096));
          assertSound(disk);
          empty(disk);
          assertArrayEquals(new byte[4096], disk.read(0, 4096));
          disk.close();
          assertEquals(NEW_IMAGE_BYTES, Files.size(image()));
        });
  }
}
