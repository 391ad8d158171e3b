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
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.protocol.file.OnLoop;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionReader;

/** Damage that is met while an image is in use: told, marked, and nothing gets worse. */
class DamagedImageTest {
  private static final String MARKING = "qcow2: Marking image as corrupt: ";
  private static final String SUPPRESSED = "; further corruption events will be suppressed";

  @TempDir Path directory;

  private static BlockException failing(org.junit.jupiter.api.function.Executable use) {
    return assertThrows(BlockException.class, use);
  }

  /** Pokes a number in hexadecimal, then writes over data and to a new cluster. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "40000 | 8 | 8000000000040000 | 0     | overlaps with active L2 table",
        "40000 | 8 | 8000000000030000 | 0     | overlaps with active L1 table",
        "40000 | 8 | 8000000000020000 | 0     | overlaps with refcount block",
        "40000 | 8 | 8000000000010000 | 0     | overlaps with refcount table",
        "30000 | 8 | 8000000000030000 | 0     | overlaps with active L1 table",
        "30000 | 8 | 8000000000020000 | 0     | overlaps with refcount block",
        "20008 | 2 | 0                | 80000 | overlaps with active L2 table",
        "20004 | 2 | 0                | 80000 | overlaps with refcount block",
        "20000 | 2 | 0                | 80000 | overlaps with qcow2_header",
        "20006 | 2 | 0                | 80000 | overlaps with active L1 table",
        "20002 | 2 | 0                | 80000 | overlaps with refcount table",
        "10000 | 8 | 0                | 80000 | overlaps with refcount table",
      })
  void tablesAreNotOverwritten(String offset, int width, String value, String guest, String overlap)
      throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("image.qcow2"));
          Qcow2Files.poke(
              image, Long.parseLong(offset, 16), width, Long.parseUnsignedLong(value, 16));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          byte[] cluster = Qcow2Files.filled(Qcow2Files.CLUSTER_BYTES, 1);
          long at = Long.parseLong(guest, 16);
          assertEquals(Errno.EIO, failing(() -> disk.write(at, cluster)).errno());
          assertEquals(Errno.ENOMEDIUM, failing(() -> disk.write(at, cluster)).errno());
          assertEquals(Errno.ENOMEDIUM, failing(() -> disk.read(0, 512)).errno());
          disk.close();
          String text = "Preventing invalid write on metadata (" + overlap + ")";
          assertEquals(List.of(MARKING + text + SUPPRESSED), disk.lines);
          assertEquals(Features.INCOMPATIBLE_CORRUPT, Qcow2Files.peek(image, 72));
          BlockException refused =
              failing(() -> Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE));
          assertEquals(
              "qcow2: Image is corrupt; cannot be opened read/write", refused.getMessage());
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "30000 | 8000000000040200 | L2 table offset 0x40200 unaligned (L1 index: 0)",
        "40000 | 8000000000050200 | Cluster allocation offset 0x50200 unaligned (L2 offset:"
            + " 0x40000, L2 index: 0)",
        "40000 | 8000000000050201 | Cluster allocation offset 0x50200 unaligned (L2 offset:"
            + " 0x40000, L2 index: 0)",
      })
  void unalignedEntriesAreNotFollowed(String offset, String value, String text) throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("image.qcow2"));
          Qcow2Files.poke(image, Long.parseLong(offset, 16), 8, Long.parseUnsignedLong(value, 16));
          Qcow2Files.Disk reader = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_ONLY);
          assertEquals(Errno.EIO, failing(() -> reader.read(0, 512)).errno());
          assertEquals(Errno.EIO, failing(() -> reader.read(0, 512)).errno());
          reader.close();
          assertEquals(
              List.of(
                  "qcow2: Image is corrupt: "
                      + text
                      + "; further non-fatal corruption events will be suppressed"),
              reader.lines);
          Qcow2Files.Disk writer = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          assertEquals(Errno.EIO, failing(() -> writer.read(0, 512)).errno());
          assertEquals(Errno.ENOMEDIUM, failing(() -> writer.read(0, 512)).errno());
          writer.close();
          assertEquals(List.of(MARKING + text + SUPPRESSED), writer.lines);
          assertEquals(Features.INCOMPATIBLE_CORRUPT, Qcow2Files.peek(image, 72));
        });
  }

  @Test
  void whatCannotBeFreedIsLeftAlone() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("image.qcow2"));
          Qcow2Files.poke(
              image, Qcow2Files.SECOND_LEVEL, 8, Qcow2Files.COPIED | Qcow2Files.DATA + 512);
          Qcow2Files.poke(image, Qcow2Files.REFCOUNT_BLOCK + 2 * 6, 2, 0);
          NodeOptions options = NodeOptions.READ_WRITE.withDiscardUnmap(true);
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", options);
          disk.backend.discard(0, 2L * Qcow2Files.CLUSTER_BYTES);
          disk.backend.flush();
          disk.close();
          assertEquals(
              List.of(
                  "qcow2: Image is corrupt: Cannot free unaligned cluster 0x50200; further"
                      + " non-fatal corruption events will be suppressed",
                  "qcow2_free_clusters failed: Invalid argument"),
              disk.lines);
          assertEquals(0, Qcow2Files.peek(image, 72));
        });
  }

  @Test
  void brokenPackedClustersFailByThemselves() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("image.qcow2"));
          Qcow2Files.poke(image, Qcow2Files.SECOND_LEVEL, 8, 1L << 62 | 0x3000_0000);
          Qcow2Files.poke(image, Qcow2Files.SECOND_LEVEL + 8, 8, 1L << 62 | 100L << 54 | 0x6_0000);
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_ONLY);
          assertEquals(Errno.EIO, failing(() -> disk.read(0, 512)).errno());
          assertEquals(Errno.EIO, failing(() -> disk.read(Qcow2Files.CLUSTER_BYTES, 512)).errno());
          assertArrayEquals(
              Qcow2Files.filled(512, 0xcd), disk.read(2L * Qcow2Files.CLUSTER_BYTES, 512));
          disk.close();
          assertTrue(disk.lines.isEmpty(), disk.lines.toString());
        });
  }

  @Test
  void anImageThatWasNotClosedIsRepairedByItsNextWriter() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("dirty.qcow2"));
          Qcow2Files.poke(image, 72, 8, Features.INCOMPATIBLE_DIRTY);
          Qcow2Files.poke(image, Qcow2Files.REFCOUNT_BLOCK + 2 * 5, 2, 0);
          Qcow2Files.poke(image, Qcow2Files.REFCOUNT_BLOCK + 2 * 6, 2, 2);
          Qcow2Files.Disk reader = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_ONLY);
          reader.close();
          assertEquals(Features.INCOMPATIBLE_DIRTY, Qcow2Files.peek(image, 72));
          Qcow2Files.Disk writer = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          assertTrue(writer.check(CheckRepair.NONE).isClean(), writer.lines.toString());
          writer.write(0, Qcow2Files.filled(1 << 19, 3));
          writer.close();
          assertEquals(0, Qcow2Files.peek(image, 72));
        });
  }

  @Test
  void blocksOfCountsThatAreMissingAreMadeAnew() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("missing.qcow2"));
          Qcow2Files.poke(image, 72, 8, Features.INCOMPATIBLE_DIRTY);
          Qcow2Files.poke(image, Qcow2Files.REFCOUNT_TABLE, 8, 0);
          Qcow2Files.Disk writer = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          assertTrue(writer.check(CheckRepair.NONE).isClean(), writer.lines.toString());
          writer.write(0, Qcow2Files.filled(1 << 19, 3));
          writer.close();
        });
  }

  /** Counts may lag behind as long as the image says so. */
  @Test
  void lazyCountsAreMarked() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("lazy.qcow2"));
          Qcow2Files.poke(image, 80, 8, Features.COMPATIBLE_LAZY_REFCOUNTS);
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          assertEquals(0, Qcow2Files.peek(image, 72));
          disk.write(1 << 19, Qcow2Files.filled(512, 1));
          assertEquals(Features.INCOMPATIBLE_DIRTY, Qcow2Files.peek(image, 72));
          disk.close();
          assertEquals(0, Qcow2Files.peek(image, 72));
        });
  }

  private static InternalSnapshots snapshots(Qcow2Files.Disk disk) {
    return (InternalSnapshots) Objects.requireNonNull(disk.node.driverOrNull());
  }

  /** Where the tables of a snapshot are looked at and cannot be found, nothing is written. */
  @ParameterizedTest
  @CsvSource({"0, 4194816, 8, EINVAL", "8, 268435456, 4, EFBIG"})
  void lostTablesOfSnapshotsRefuseWrites(int field, long value, int width, Errno errno)
      throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("image.qcow2"));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          snapshots(disk).createSnapshot("kept", 0, 0, 0);
          disk.close();
          Qcow2Files.poke(image, Qcow2Files.peek(image, 64) + field, width, value);
          final byte[] before = Files.readAllBytes(image);
          Json.Members options = new Json.Members();
          options.put("driver", "qcow2");
          options.put("overlap-check.inactive-l2", "on");
          Qcow2Files.Disk watched =
              Qcow2Files.open(
                  context,
                  new ImageAddress(image.toString(), options, OptionReader.Style.LOOSE),
                  NodeOptions.READ_WRITE);
          byte[] cluster = Qcow2Files.filled(Qcow2Files.CLUSTER_BYTES, 1);
          assertEquals(errno, failing(() -> watched.write(0, cluster)).errno());
          watched.close();
          assertEquals(
              List.of("Failed to flush the refcount block cache: " + errno.message()),
              watched.lines);
          assertArrayEquals(before, Files.readAllBytes(image));
        });
  }

  /** A reference to where nothing is counted. */
  @ParameterizedTest
  @CsvSource({"800000ffffff0000, EAGAIN", "80ffffffffff0000, EFBIG"})
  void snapshotsDoNotKeepWhatNothingCounts(String entry, Errno errno) throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("image.qcow2"));
          Qcow2Files.poke(image, Qcow2Files.SECOND_LEVEL, 8, Long.parseUnsignedLong(entry, 16));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          InternalSnapshots snapshots = snapshots(disk);
          assertEquals(errno, failing(() -> snapshots.createSnapshot("a", 0, 0, 0)).errno());
          assertEquals(List.of(), snapshots.snapshots());
          disk.close();
        });
  }
}
