package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.AmendableImage;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.protocol.file.OnLoop;

/** What an image keeps beside the disk: snapshots, bitmaps, parts of clusters, other files. */
class KeptStatesTest {
  @TempDir Path directory;

  private static InternalSnapshots snapshots(Qcow2Files.Disk disk) {
    return (InternalSnapshots) driver(disk);
  }

  private static Object driver(Qcow2Files.Disk disk) {
    return Objects.requireNonNull(Objects.requireNonNull(disk.backend.node()).driverOrNull());
  }

  private static Qcow2Creator.Request extended(long size) {
    return new Qcow2Creator.Request(
        size,
        true,
        65_536,
        16,
        false,
        "zlib",
        PreallocationMode.OFF,
        null,
        null,
        new Qcow2Creator.Extras(true, null, null, false));
  }

  @Test
  void aSnapshotKeepsTheDiskAsItWas() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("snap.qcow2"));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          snapshots(disk).createSnapshot("one", 1, 2, -1);
          disk.write(0, Qcow2Files.filled(100_000, 1));
          disk.backend.truncate(2 << 20, true, PreallocationMode.OFF);
          snapshots(disk).createSnapshot("two", 3, 4, 5);
          assertTrue(disk.check(CheckRepair.NONE).isClean());
          snapshots(disk).applySnapshot("1");
          assertEquals(1 << 20, disk.backend.lengthBytes());
          assertArrayEquals(
              Qcow2Files.filled(Qcow2Files.DATA_BYTES, 0xcd), disk.read(0, Qcow2Files.DATA_BYTES));
          snapshots(disk).applySnapshot("2");
          assertArrayEquals(Qcow2Files.filled(100_000, 1), disk.read(0, 100_000));
          snapshots(disk).deleteSnapshot("1");
          snapshots(disk).deleteSnapshot("2");
          assertTrue(disk.check(CheckRepair.NONE).isClean());
          disk.close();
        });
  }

  @Test
  void aSnapshotThatCannotBeCountedChangesNothing() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("narrow.qcow2"));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          AmendableImage amendable = (AmendableImage) driver(disk);
          amendable.amend(amendable.amendOptions().parse("refcount_bits=1"));
          disk.close();
          Qcow2Files.Disk again = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          BlockException refused =
              assertThrows(
                  BlockException.class, () -> snapshots(again).createSnapshot("one", 0, 0, 0));
          assertEquals(Errno.EINVAL, refused.errno());
          assertTrue(again.check(CheckRepair.NONE).isClean());
          assertTrue(snapshots(again).snapshots().isEmpty());
          again.close();
        });
  }

  @Test
  void persistentBitmapsComeBack() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("bitmap.qcow2"));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          DirtyBitmap bitmap =
              Objects.requireNonNull(disk.backend.node()).bitmaps().create("b", 1 << 20, 4096);
          bitmap.setPersistent(true);
          disk.write(8192, Qcow2Files.filled(100, 1));
          disk.close();
          Path copy = directory.resolve("in-use.qcow2");
          Qcow2Files.Disk again = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          DirtyBitmap loaded = Objects.requireNonNull(again.backend.node()).bitmaps().get("b");
          assertTrue(loaded.isPersistent() && loaded.isRecording());
          assertEquals(8192, loaded.nextDirty(0, 1 << 20));
          assertEquals(4096, loaded.countBytes());
          Files.copy(image, copy, StandardCopyOption.REPLACE_EXISTING);
          again.close();
          // What a crash leaves says that nobody knows.
          Qcow2Files.Disk crashed = Qcow2Files.open(context, copy, "qcow2", NodeOptions.READ_ONLY);
          assertTrue(
              Objects.requireNonNull(crashed.backend.node()).bitmaps().get("b").isInconsistent());
          crashed.close();
        });
  }

  @Test
  void partsOfAClusterAreAllocatedByThemselves() throws Exception {
    OnLoop.run(
        context -> {
          Path image = directory.resolve("parts.qcow2");
          Qcow2Files.create(context, image, extended(1 << 20));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          disk.write(3000, Qcow2Files.filled(1096, 7)); // up to the end of the part
          assertEquals(2048, disk.backend.status(0, 1 << 20, true).lengthBytes());
          assertEquals(2048, disk.backend.status(2048, 1 << 20, true).lengthBytes());
          assertTrue(disk.backend.writeZeroes(2048, 2048, RequestFlags.NONE));
          assertArrayEquals(Qcow2Files.filled(4096, 0), disk.read(0, 4096));
          assertTrue(disk.check(CheckRepair.NONE).isClean());
          disk.close();
        });
  }

  @Test
  void countsAreWrittenAnewWithoutATable() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("table.qcow2"));
          Qcow2Files.poke(image, 56, 4, 0);
          Qcow2Files.Disk disk =
              Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE.withForCheck(true));
          assertFalse(disk.check(CheckRepair.ALL).isClean());
          assertTrue(disk.check(CheckRepair.NONE).isClean());
          disk.close();
          Qcow2Files.Disk again = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          again.write(0, Qcow2Files.filled(1 << 20, 3));
          assertTrue(again.check(CheckRepair.NONE).isClean());
          assertNotNull(again.backend.node());
          again.close();
        });
  }
}
