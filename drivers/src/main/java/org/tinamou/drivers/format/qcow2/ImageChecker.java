package org.tinamou.drivers.format.qcow2;

import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.Edge;

/**
 * Checks an image: counts the references to each cluster anew, from all tables, and compares them
 * with the counts in the file and with the flags that were derived from them.
 *
 * <p>Works on the file alone: whatever an open image keeps in memory has to be written back before,
 * and forgotten afterwards if something was repaired. Memory is bounded; a file with more clusters
 * than fit is done in several rounds.
 */
final class ImageChecker {
  private final Edge file;
  private Qcow2Header header;
  private final Geometry geometry;
  private final long fileBytes;
  private final CheckRepair repair;
  private final CheckLog log;
  private StoredCounts stored;
  private final ReferenceCounts counts;
  private final ReferenceWalk walk;
  private final SnapshotTable snapshots;

  /** The last cluster in use; the first one always is. */
  private long highest;

  private boolean unreadableTold;

  /** Counts that are missing or cannot be read: all of them are written anew. */
  private boolean needsRebuild;

  /** Some counts could not be repaired. */
  private boolean unrepaired;

  /** All counts have been written anew. */
  private boolean rebuilt;

  /** How much is wrong with the table of snapshots that another table puts right. */
  private int wrongSnapshots;

  private final @Nullable Consumer<List<SnapshotTable.Snapshot>> goodSnapshots;

  /** Behind the last cluster that a repair has added to the file. */
  private long addedEnd;

  private ImageChecker(
      Edge file,
      Qcow2Header header,
      CheckRepair repair,
      Consumer<String> lines,
      @Nullable Consumer<List<SnapshotTable.Snapshot>> goodSnapshots)
      throws BlockException {
    this.goodSnapshots = goodSnapshots;
    this.file = file;
    this.header = header;
    this.geometry = header.geometry();
    this.fileBytes = file.lengthBytes();
    this.repair = repair;
    this.log = new CheckLog(lines);
    this.stored = new StoredCounts(file, header, fileBytes);
    this.counts = new ReferenceCounts(geometry);
    this.snapshots = readSnapshots();
    this.walk =
        new ReferenceWalk(
            file, header, fileBytes, snapshots, BitmapTables.read(file, header), counts, log);
  }

  /**
   * Checks the image in a file.
   *
   * @param lines told of each finding
   * @param goodSnapshots told what to put in place of a table of snapshots that has to be repaired;
   *     null if nobody does that
   * @throws BlockException if the image cannot be checked at all
   */
  @InCoroutine
  static CheckReport check(
      Edge file,
      Qcow2Header header,
      CheckRepair repair,
      Consumer<String> lines,
      @Nullable Consumer<List<SnapshotTable.Snapshot>> goodSnapshots)
      throws BlockException {
    return new ImageChecker(file, header, repair, lines, goodSnapshots).run();
  }

  private SnapshotTable readSnapshots() throws BlockException {
    try {
      return SnapshotTable.read(
          file, header, repair == CheckRepair.ALL ? this::leaveOutOfSnapshots : null);
    } catch (BlockException e) {
      throw e.prefixed("ERROR failed to read the snapshot table: ")
          .withHint("You can force-remove this extra metadata with qemu-img check -r all");
    }
  }

  private void leaveOutOfSnapshots(String what) {
    wrongSnapshots++;
    log.corruption(() -> what, 1);
  }

  private void checkSnapshots() {
    String begin = repair == CheckRepair.ALL ? "Repairing" : "ERROR";
    for (int i = 0; i < snapshots.snapshots().size(); i++) {
      if (!snapshots.snapshots().get(i).complete()) {
        wrongSnapshots++;
        int index = i;
        log.corruption(() -> "%s snapshot table entry %d is incomplete".formatted(begin, index), 1);
      }
    }
  }

  /** Whether a new table of snapshots may be put into a free cluster: all counts are right. */
  private boolean mayReplaceSnapshots() {
    long left = log.corruptions() - log.corruptionsFixed();
    return repair == CheckRepair.ALL
        && wrongSnapshots > 0
        && !unrepaired
        && log.checkErrors() == 0
        && left == (rebuilt ? 0 : wrongSnapshots);
  }

  /** Whether all of the table of the first level is in the file. */
  private boolean hasFirstLevel() {
    long bytes = (long) header.firstLevelEntries() * Geometry.ENTRY_BYTES;
    return header.firstLevelOffset() + bytes < fileBytes + geometry.clusterBytes();
  }

  private CheckReport run() throws BlockException {
    checkSnapshots();
    long next = 0;
    while (next < Long.MAX_VALUE) {
      counts.startWindow(next);
      walk.walk(stored);
      compare();
      long following = Math.min(counts.nextReferred(), stored.nextCounted(counts.windowEnd()));
      next = following < walk.clusters() ? following : Long.MAX_VALUE;
    }
    // Flags that follow from counts that are wrong would be wrong, too.
    boolean repairsAll = repair == CheckRepair.ALL && !unrepaired && hasFirstLevel();
    new CopiedFlags(file, header, stored, log).check(fileBytes, repairsAll);
    if (goodSnapshots != null && mayReplaceSnapshots()) {
      for (int i = 0; !rebuilt && i < wrongSnapshots; i++) {
        log.corruptionFixed();
      }
      goodSnapshots.accept(snapshots.snapshots());
    }
    if (repair != CheckRepair.NONE) {
      file.flush();
    }
    long size = header.sizeBytes();
    return new CheckReport(
        log.corruptions(),
        log.leaks(),
        log.checkErrors(),
        log.corruptionsFixed(),
        log.leaksFixed(),
        highest + 1 << geometry.clusterBits(),
        geometry.clustersOf(size),
        walk.allocated(),
        walk.fragmented(),
        walk.compressed());
  }

  /** Compares the counts of a window with those in the file. */
  private void compare() throws BlockException {
    boolean differs = compare(CheckRepair.NONE);
    boolean wholeFile = counts.windowStart() == 0 && walk.clusters() <= counts.windowEnd();
    if (needsRebuild && repair == CheckRepair.ALL && wholeFile) {
      rebuild();
    } else if (differs && repair != CheckRepair.NONE) {
      compare(repair);
    }
  }

  private boolean compare(CheckRepair mending) throws BlockException {
    boolean differs = false;
    long end = Math.min(counts.windowEnd(), walk.clusters());
    for (long cluster = counts.windowStart(); cluster < end; cluster++) {
      long found = counts.get(cluster);
      long told;
      try {
        told = stored.get(cluster);
      } catch (BlockException e) {
        unreadable(cluster, e, mending);
        continue;
      }
      if (told != 0 || found != 0) {
        highest = Math.max(highest, cluster);
      }
      if (told != found) {
        differs = true;
        differ(cluster, told, found, mending);
      }
    }
    return differs;
  }

  private void unreadable(long cluster, BlockException reason, CheckRepair mending) {
    if (mending != CheckRepair.NONE) {
      unrepaired = true;
      return;
    }
    needsRebuild = true;
    if (!unreadableTold) {
      unreadableTold = true;
      log.line(
          "qcow2: Image is corrupt: "
              + reason.getMessage()
              + "; further non-fatal corruption events will be suppressed");
    }
    log.checkError(
        () -> "Can't get refcount for cluster %d: %s".formatted(cluster, reason.errno().message()));
  }

  private void differ(long cluster, long told, long found, CheckRepair mending)
      throws BlockException {
    boolean leak = Long.compareUnsigned(told, found) > 0;
    Supplier<String> what =
        () -> "%d refcount=%s reference=%d".formatted(cluster, Long.toUnsignedString(told), found);
    if (mending == CheckRepair.NONE) {
      if (leak) {
        log.leak(() -> "Leaked cluster " + what.get());
      } else {
        log.corruption(() -> "ERROR cluster " + what.get(), 1);
        needsRebuild |= told == 0;
      }
      return;
    }
    if (!leak && mending != CheckRepair.ALL) {
      return;
    }
    if (!provideBlock(cluster)) {
      unrepaired = true;
      return;
    }
    stored.set(cluster, found);
    if (leak) {
      log.leakFixed(() -> "Repairing cluster " + what.get());
    } else {
      log.corruptionFixed(() -> "Repairing cluster " + what.get());
    }
  }

  /** Writes all counts anew; what held the old ones is free then. */
  private void rebuild() throws BlockException {
    log.line("Rebuilding refcount structure");
    SortedSet<Long> own = new TreeSet<>();
    long first = geometry.clusterIndex(header.refcountTableOffset());
    for (int i = 0; i < header.refcountTableClusters(); i++) {
      own.add(first + i);
    }
    for (long entry : stored.table()) {
      long block = geometry.clusterIndex(entry & Refcounts.OFFSET_MASK);
      boolean sound = (entry & ~Refcounts.OFFSET_MASK) == 0 && geometry.inCluster(entry) == 0;
      if (entry != 0 && sound && block < walk.clusters()) {
        own.add(block);
      }
    }
    RefcountBuilder.build(
        file,
        header,
        geometry.refcountOrder(),
        walk.clusters(),
        cluster -> Math.max(0, counts.get(cluster) - (own.contains(cluster) ? 1 : 0)));
    for (long cluster : own) {
      log.line("Repairing cluster " + cluster + " refcount=1 reference=0");
    }
    log.allFixed();
    rebuilt = true;
    header = Qcow2Type.readHeader(file);
    stored = new StoredCounts(file, header, file.lengthBytes());
  }

  /** Makes a block for the counts of a cluster if there is none; false if that cannot be. */
  private boolean provideBlock(long cluster) throws BlockException {
    if (stored.canSet(cluster)) {
      return true;
    }
    if (!stored.canAddBlock(cluster)) {
      return false;
    }
    long place = Math.max(walk.clusters(), addedEnd);
    addedEnd = place + 1;
    stored.addBlock(cluster, place << geometry.clusterBits(), header.refcountTableOffset());
    if (!provideBlock(place)) {
      return false;
    }
    stored.set(place, 1);
    return true;
  }
}
