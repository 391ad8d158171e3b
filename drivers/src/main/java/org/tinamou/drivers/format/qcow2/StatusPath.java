package org.tinamou.drivers.format.qcow2;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;

/** Tells what the tables say of guest ranges. */
final class StatusPath {
  private final Qcow2Image image;
  private final ReadPath reads;
  private @Nullable Boolean unwritten;

  /** The first level that was looked through last; changes in place share no table. */
  private long @Nullable [] looked;

  StatusPath(Qcow2Image image, ReadPath reads) {
    this.image = image;
    this.reads = reads;
  }

  /** Clusters may have been allocated that nobody has written. */
  void forget() {
    unwritten = null;
  }

  /** The status of the first bytes of a range. */
  @InCoroutine
  BlockStatus of(long offsetBytes, long length, boolean wantZero) throws BlockException {
    ReadPath.Run run;
    int maybeZero = 0;
    image.metadata().lock();
    try {
      refuseSharedTables();
      run = reads.find(offsetBytes, length);
      if (wantZero && run.kind() == Entry.Kind.NORMAL && hasUnwrittenClusters()) {
        maybeZero = BlockStatus.MAYBE_ZERO;
      }
    } finally {
      image.metadata().unlock();
    }
    BlockNode file = image.data().child();
    long bytes = run.lengthBytes();
    int here = BlockStatus.ALLOCATED;
    BlockStatus status =
        switch (run.kind()) {
          case NORMAL ->
              new BlockStatus(
                  bytes,
                  BlockStatus.DATA | BlockStatus.OFFSET_VALID | here | maybeZero,
                  run.host(),
                  file);
          case COMPRESSED ->
              new BlockStatus(bytes, BlockStatus.DATA | BlockStatus.COMPRESSED | here, 0, null);
          case ZERO_PLAIN -> new BlockStatus(bytes, BlockStatus.ZERO | here, 0, null);
          case ZERO_ALLOCATED ->
              new BlockStatus(
                  bytes, BlockStatus.ZERO | BlockStatus.OFFSET_VALID | here, run.host(), file);
          case UNALLOCATED -> unallocated(offsetBytes, run, file);
        };
    // The bytes of the file are not those of the disk.
    return image.encryption() == null
        ? status
        : new BlockStatus(
            status.lengthBytes(), status.flags() & ~BlockStatus.OFFSET_VALID, 0, null);
  }

  /**
   * A table that several entries of the first level lead to can make a disk of any size out of a
   * small file: to tell of all of it would never end.
   */
  private void refuseSharedTables() throws BlockException {
    long[] firstLevel = image.map().firstLevel();
    if (looked == firstLevel) {
      return;
    }
    long[] tables = firstLevel.clone();
    for (int i = 0; i < tables.length; i++) {
      tables[i] = Entry.offset(tables[i]);
    }
    Arrays.sort(tables);
    for (int i = 1; i < tables.length; i++) {
      if (tables[i] != 0 && tables[i] == tables[i - 1]) {
        String what = "L2 table at " + Hex.of(tables[i]) + " is in use by several L1 entries";
        image.damage().tell(what);
        throw BlockException.of(Errno.EIO, what);
      }
    }
    looked = firstLevel;
  }

  /** Found out once: what is allocated afterwards is written at once. */
  private boolean hasUnwrittenClusters() throws BlockException {
    Boolean known = unwritten;
    if (known == null) {
      known = UnwrittenClusters.areLikely(image);
      unwritten = known;
    }
    return known;
  }

  private BlockStatus unallocated(long offset, ReadPath.Run run, BlockNode file)
      throws BlockException {
    Edge backing = image.backing();
    long below = backing == null ? 0 : backing.lengthBytes();
    // Parts without data may have their place already.
    int place = run.host() >= 0 ? BlockStatus.OFFSET_VALID : 0;
    BlockNode holder = place != 0 ? file : null;
    long host = Math.max(0, run.host());
    return offset >= below
        ? new BlockStatus(run.lengthBytes(), BlockStatus.ZERO | place, host, holder)
        : new BlockStatus(Math.min(run.lengthBytes(), below - offset), place, host, holder);
  }
}
