package org.tinamou.drivers;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;

/**
 * A driver whose image keeps older states of its disk. Whoever makes, applies or deletes one keeps
 * other requests away meanwhile, so that it is clear which of them the snapshot contains.
 */
public interface InternalSnapshots extends BlockDriver {
  /**
   * One older state.
   *
   * @param id unique in the image
   * @param name not unique; may be empty
   * @param dateSeconds since the Epoch
   * @param vmClockNanos how long the machine had run
   * @param vmStateBytes what is kept of the machine's memory
   * @param diskBytes the size of the disk then
   * @param instructions how many the machine had executed, or -1 if nobody counted
   */
  record Snapshot(
      String id,
      String name,
      long dateSeconds,
      int dateNanos,
      long vmClockNanos,
      long vmStateBytes,
      long diskBytes,
      long instructions) {}

  /** All of them, oldest first. */
  @AnyThread
  List<Snapshot> snapshots();

  /**
   * Keeps the disk as it is now.
   *
   * @param instructions how many the machine has executed, or -1 if nobody counts
   * @throws BlockException with EOPNOTSUPP if such an image cannot, EINVAL if a cluster is kept as
   *     often as can be counted, EFBIG if the table would become too large
   */
  @InCoroutine
  default void createSnapshot(String name, long dateSeconds, int dateNanos, long instructions)
      throws BlockException {
    createSnapshot(name, dateSeconds, dateNanos, instructions, 0);
  }

  /**
   * The same with what was stored of the machine's memory, which is the snapshot's alone from then
   * on.
   *
   * @param vmStateBytes how much that is, from 0 on; 0 for nothing
   */
  @InCoroutine
  void createSnapshot(
      String name, long dateSeconds, int dateNanos, long instructions, long vmStateBytes)
      throws BlockException;

  /**
   * Goes back to an older state, whose size the disk takes.
   *
   * @param id as in {@link #snapshots()}
   */
  @InCoroutine
  void applySnapshot(String id) throws BlockException;

  /** Forgets an older state. */
  @InCoroutine
  void deleteSnapshot(String id) throws BlockException;

  /**
   * Shows an older state in place of the present one, at the present size, until the image is
   * closed; of an image that is not written to.
   */
  @InCoroutine
  void showSnapshot(String id) throws BlockException;

  /** Stores a part of the machine's memory, for the next snapshot that is made. */
  @InCoroutine
  void writeVmState(long offsetBytes, IoVector buffer) throws BlockException;

  /** Reads what was stored so; zeroes where nothing was. */
  @InCoroutine
  void readVmState(long offsetBytes, IoVector buffer) throws BlockException;

  /** The first snapshot with that identifier, else the first with that name, or null. */
  @AnyThread
  default @Nullable Snapshot findByIdOrName(String text) {
    Snapshot found = find(text, null);
    return found != null ? found : find(null, text);
  }

  /** The first snapshot with that identifier and that name, null standing for any. */
  @AnyThread
  default @Nullable Snapshot find(@Nullable String id, @Nullable String name) {
    for (Snapshot snapshot : snapshots()) {
      if ((id == null || id.equals(snapshot.id()))
          && (name == null || name.equals(snapshot.name()))) {
        return snapshot;
      }
    }
    return null;
  }
}
