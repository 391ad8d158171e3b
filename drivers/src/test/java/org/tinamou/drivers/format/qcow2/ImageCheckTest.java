package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.NodeOptions;
import org.tinamou.drivers.protocol.file.OnLoop;

/** A check finds every kind of damage and tells of it as the reference does. */
class ImageCheckTest {
  private static final NodeOptions FOR_CHECK = NodeOptions.READ_ONLY.withForCheck(true);
  private static final String BEYOND =
      "ERROR: counting reference for region exceeding the end of the file by one cluster or more:"
          + " offset ";

  @TempDir Path directory;

  /**
   * A piece of damage: numbers written to a sound image.
   *
   * @param lines what a check has to say
   */
  private record Damage(
      String name,
      long[][] pokes,
      long corruptions,
      long leaks,
      long checkErrors,
      String... lines) {}

  private static long[] poke(long offset, int bytes, long value) {
    return new long[] {offset, bytes, value};
  }

  private static long[] count(int cluster, long value) {
    return poke(Qcow2Files.REFCOUNT_BLOCK + 2L * cluster, 2, value);
  }

  private static long[] table(int index, long entry) {
    return poke(Qcow2Files.FIRST_LEVEL + 8L * index, 8, entry);
  }

  private static long[] data(int index, long entry) {
    return poke(Qcow2Files.SECOND_LEVEL + 8L * index, 8, entry);
  }

  private static long[] block(int index, long entry) {
    return poke(Qcow2Files.REFCOUNT_TABLE + 8L * index, 8, entry);
  }

  private static final long COPIED = Qcow2Files.COPIED;

  private static final List<Damage> DAMAGES =
      List.of(
          new Damage("none", new long[][] {}, 0, 0, 0),
          new Damage("a count behind the end", new long[][] {count(9, 1)}, 0, 0, 0),
          new Damage(
              "too small a count",
              new long[][] {count(5, 0)},
              2,
              0,
              0,
              "ERROR cluster 5 refcount=0 reference=1",
              "ERROR OFLAG_COPIED data cluster: l2_entry=8000000000050000 refcount=0"),
          new Damage(
              "too large a count",
              new long[][] {count(4, 2)},
              1,
              1,
              0,
              "Leaked cluster 4 refcount=2 reference=1",
              "ERROR OFLAG_COPIED L2 cluster: l1_index=0 l1_entry=8000000000040000 refcount=2"),
          new Damage(
              "a flag missing",
              new long[][] {data(0, Qcow2Files.DATA)},
              1,
              0,
              0,
              "ERROR OFLAG_COPIED data cluster: l2_entry=50000 refcount=1"),
          new Damage(
              "a cluster used twice",
              new long[][] {data(0, COPIED | 0x60000)},
              1,
              1,
              0,
              "Leaked cluster 5 refcount=1 reference=0",
              "ERROR cluster 6 refcount=1 reference=2"),
          new Damage(
              "unaligned data",
              new long[][] {data(0, COPIED | 0x50200)},
              2,
              0,
              0,
              "ERROR offset=50200: Data cluster is not properly aligned; L2 entry corrupted.",
              "ERROR cluster 6 refcount=1 reference=2"),
          new Damage(
              "reserved bits",
              new long[][] {data(0, COPIED | 0x50002), table(0, COPIED | 1L << 60 | 0x40000)},
              2,
              0,
              0,
              "ERROR found L1 entry with reserved bits set: 9000000000040000",
              "ERROR found l2 entry with reserved bits set: 8000000000050002"),
          new Damage(
              "data outside of the file",
              new long[][] {data(0, COPIED | 1L << 55)},
              2,
              1,
              0,
              BEYOND + "0x80000000000000 size 0x10000",
              "Leaked cluster 5 refcount=1 reference=0",
              "ERROR OFLAG_COPIED data cluster: l2_entry=8080000000000000 refcount=0"),
          new Damage(
              "a table outside of the file",
              new long[][] {table(0, COPIED | 0x10000202)},
              4,
              5,
              0,
              "ERROR found L1 entry with reserved bits set: 8000000010000202",
              BEYOND + "0x10000200 size 0x10000",
              "ERROR l2_offset=10000200: Table is not cluster aligned; L1 entry corrupted",
              "Leaked cluster 4 refcount=1 reference=0",
              "Leaked cluster 5 refcount=1 reference=0",
              "Leaked cluster 6 refcount=1 reference=0",
              "Leaked cluster 7 refcount=1 reference=0",
              "Leaked cluster 8 refcount=1 reference=0",
              "ERROR OFLAG_COPIED L2 cluster: l1_index=0 l1_entry=8000000010000202 refcount=0"),
          new Damage(
              "a block of counts used twice",
              new long[][] {block(1, Qcow2Files.REFCOUNT_BLOCK)},
              2,
              0,
              0,
              "ERROR refcount block 1 refcount=2",
              "ERROR cluster 2 refcount=1 reference=2"),
          new Damage(
              "blocks of counts that are none",
              new long[][] {block(1, 0x10200), block(2, 1), block(3, 1L << 55)},
              3,
              0,
              0,
              "ERROR refcount block 1 is not cluster aligned; refcount table entry corrupted",
              "ERROR refcount table entry 2 has reserved bits set",
              "ERROR refcount block 3 is outside image"),
          new Damage(
              "a compressed cluster outside of the file",
              new long[][] {data(0, 1L << 62 | 0x30000000)},
              1,
              1,
              0,
              BEYOND + "0x30000000 size 0x200",
              "Leaked cluster 5 refcount=1 reference=0"));

  private Path damaged(org.tinamou.aio.AioContext context, Damage damage) throws Exception {
    Path image = Qcow2Files.create(context, directory.resolve("image.qcow2"));
    for (long[] poke : damage.pokes()) {
      Qcow2Files.poke(image, poke[0], (int) poke[1], poke[2]);
    }
    return image;
  }

  @Test
  void damageIsTold() throws Exception {
    OnLoop.run(
        context -> {
          for (Damage damage : DAMAGES) {
            Qcow2Files.Disk disk =
                Qcow2Files.open(context, damaged(context, damage), "qcow2", FOR_CHECK);
            CheckReport report = disk.check(CheckRepair.NONE);
            disk.close();
            assertEquals(Arrays.asList(damage.lines()), disk.lines, damage.name());
            assertEquals(damage.corruptions(), report.corruptions(), damage.name());
            assertEquals(damage.leaks(), report.leaks(), damage.name());
            assertEquals(damage.checkErrors(), report.checkErrors(), damage.name());
          }
        });
  }

  @Test
  void theReferenceTellsTheSame() throws Exception {
    assumeTrue(Qcow2Files.hasReference(), "LEFT OUT: the reference (qemu-img is not installed)");
    OnLoop.run(
        context -> {
          for (Damage damage : DAMAGES) {
            Path image = damaged(context, damage);
            String text =
                Qcow2Files.reference("qemu-img", "check", "-q", "-f", "qcow2", image.toString())
                    .text();
            List<String> lines = text.isEmpty() ? List.of() : List.of(text.split("\n"));
            assertEquals(Arrays.asList(damage.lines()), lines, damage.name());
          }
        });
  }

  @Test
  void countsOfClustersAreTold() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("counts.qcow2"));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", FOR_CHECK);
          CheckReport report = disk.check(CheckRepair.NONE);
          disk.close();
          assertEquals(new CheckReport(0, 0, 0, 0, 0, 589_824, 16, 4, 0, 0), report);
          assertTrue(report.isClean());
        });
  }

  /** Thousands of entries of the first level lead to one table: it is read once. */
  @Test
  void aTableThatManyShareIsReadOnce() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("bomb.qcow2"));
          byte[] bytes = Arrays.copyOf(Files.readAllBytes(image), 40 << 20);
          java.nio.ByteBuffer file = java.nio.ByteBuffer.wrap(bytes);
          int tables = 1 << 20;
          int firstLevel = 16 << 20;
          file.putLong(24, (long) tables << 29).putInt(36, tables).putLong(40, firstLevel);
          for (int i = 0; i < tables; i++) {
            file.putLong(firstLevel + 8 * i, COPIED | Qcow2Files.SECOND_LEVEL);
          }
          for (int i = 0; i < 8192; i++) {
            file.putLong(Qcow2Files.SECOND_LEVEL + 8 * i, COPIED | Qcow2Files.DATA);
          }
          Files.write(image, bytes);
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", FOR_CHECK);
          CheckReport report = disk.check(CheckRepair.NONE);
          disk.close();
          assertEquals(8192L * tables, report.allocatedClusters());
          // All but as many as a count can hold.
          assertTrue(report.corruptions() > 8192L * tables - 65_536, report.toString());
          assertTrue(disk.lines.size() <= 100_001, "lines: " + disk.lines.size());
        });
  }

  @Test
  void wrongCountsAreRepaired() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("repair.qcow2"));
          Qcow2Files.poke(image, Qcow2Files.REFCOUNT_BLOCK + 2 * 5, 2, 0);
          Qcow2Files.poke(image, Qcow2Files.REFCOUNT_BLOCK + 2 * 6, 2, 3);
          Qcow2Files.poke(image, Qcow2Files.SECOND_LEVEL + 8 * 2, 8, 0x70000);
          NodeOptions options = NodeOptions.READ_WRITE.withForCheck(true);
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", options);
          CheckReport leaks = disk.check(CheckRepair.LEAKS);
          assertEquals(1, leaks.leaksFixed());
          assertEquals(0, leaks.corruptionsFixed());
          CheckReport all = disk.check(CheckRepair.ALL);
          assertEquals(2, all.corruptionsFixed());
          assertTrue(disk.check(CheckRepair.NONE).isClean());
          disk.write(0, Qcow2Files.filled(100_000, 7));
          disk.close();
          Qcow2Files.Disk again = Qcow2Files.open(context, image, "qcow2", FOR_CHECK);
          assertTrue(again.check(CheckRepair.NONE).isClean());
          again.close();
        });
  }

  /** What is shared with a snapshot is copied, and stays as it was for the snapshot. */
  @Test
  void snapshotsSurviveWrites() throws Exception {
    assumeTrue(Qcow2Files.hasReference(), "LEFT OUT: the reference (qemu-img is not installed)");
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("snapshot.qcow2"));
          List<String> before = new ArrayList<>();
          for (String name : List.of("one", "two")) {
            Qcow2Files.Output made =
                Qcow2Files.reference("qemu-img", "snapshot", "-c", name, image.toString());
            assertEquals(0, made.code(), made.text());
            Qcow2Files.Disk disk =
                Qcow2Files.open(
                    context, image, "qcow2", NodeOptions.READ_WRITE.withDiscardUnmap(true));
            disk.write(1000, Qcow2Files.filled(80_000, name.length() + before.size()));
            disk.backend.writeZeroes(Qcow2Files.CLUSTER_BYTES * 2L, Qcow2Files.CLUSTER_BYTES, 0);
            disk.backend.discard(Qcow2Files.CLUSTER_BYTES * 3L, Qcow2Files.CLUSTER_BYTES);
            disk.close();
            before.add(name);
          }
          Qcow2Files.Output check = Qcow2Files.reference("qemu-img", "check", image.toString());
          assertEquals(0, check.code(), check.text());
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", FOR_CHECK);
          assertTrue(disk.check(CheckRepair.NONE).isClean(), disk.lines.toString());
          disk.close();
          Path old = directory.resolve("old.raw");
          Qcow2Files.Output converted =
              Qcow2Files.reference(
                  "qemu-img",
                  "convert",
                  "-l",
                  "one",
                  "-O",
                  "raw",
                  image.toString(),
                  old.toString());
          assertEquals(0, converted.code(), converted.text());
          byte[] wanted = Arrays.copyOf(Qcow2Files.filled(Qcow2Files.DATA_BYTES, 0xcd), 1 << 20);
          assertTrue(Arrays.equals(wanted, Files.readAllBytes(old)), "the snapshot has changed");
        });
  }
}
