package org.tinamou.drivers.format.qcow2;

import java.util.ArrayDeque;
import java.util.Set;
import java.util.TreeSet;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;

/**
 * Finds free clusters and takes clusters back. All calls come from holders of the metadata lock.
 *
 * <p>A cluster that was referred to is not free at once: until the tables that no longer refer to
 * it are stable, and until nobody reads or writes it any more, it keeps its count. A crash then
 * costs space, never data.
 */
final class ClusterAllocator {
  /** Offsets of the format's entries have 56 bits. */
  private static final long MAX_HOST_BYTES = 1L << 56;

  private static final int REASON_BITS = 2;
  private static final int REASON_MASK = (1 << REASON_BITS) - 1;
  private static final Freed[] REASONS = Freed.values();

  /**
   * A run of clusters.
   *
   * @param fresh the file has never been written there: it reads as zeroes
   */
  record Run(long firstCluster, long clusters, boolean fresh) {}

  private final Refcounts refcounts;
  private final Geometry geometry;
  private final MetadataGuard guard;
  private Set<Freed> passedOn;

  /** Clusters with the reason, which is in the low bits. */
  private final ArrayDeque<Long> released = new ArrayDeque<>();

  /** Clusters whose space is to go back to the host. */
  private final TreeSet<Long> unwanted = new TreeSet<>();

  private long searchFrom;
  private long lowestFreed;
  private long usedEnd;
  private long nextByte;
  private long contentEnd;

  /**
   * An allocator.
   *
   * @param passedOn which clusters' space goes back to the host when they are free
   */
  ClusterAllocator(
      Refcounts refcounts,
      Geometry geometry,
      MetadataGuard guard,
      Set<Freed> passedOn,
      long fileBytes) {
    this.passedOn = passedOn;
    this.refcounts = refcounts;
    this.geometry = geometry;
    this.guard = guard;
    this.usedEnd = geometry.clustersOf(fileBytes);
    refcounts.tellFreedTo(this::freed);
  }

  private void freed(long cluster) {
    searchFrom = Math.min(searchFrom, cluster);
    lowestFreed = Math.min(lowestFreed, cluster);
  }

  /** Other clusters' space goes back to the host from now on. */
  void passOn(Set<Freed> other) {
    passedOn = other;
  }

  /** Begins anew with other counts, in a file of that length. */
  void restart(long fileBytes) {
    released.clear();
    unwanted.clear();
    searchFrom = 0;
    nextByte = 0;
    contentEnd = 0;
    usedEnd = geometry.clustersOf(fileBytes);
  }

  /** Takes up to that many clusters in a row, at least one; each is counted once. */
  Run allocate(long wanted) throws BlockException {
    return allocate(wanted, 0);
  }

  /**
   * The same.
   *
   * @param ahead how many the caller is going to ask for in a row, which nothing should part
   */
  Run allocate(long wanted, long ahead) throws BlockException {
    refcounts.announce(DebugEvent.CLUSTER_ALLOC);
    long first = firstFree();
    long length = 1;
    while (length < wanted && isFree(first + length, first + ahead)) {
      length++;
    }
    return take(first, length);
  }

  /** Takes just that many clusters in a row. */
  Run allocateContiguous(long clusters) throws BlockException {
    refcounts.announce(DebugEvent.CLUSTER_ALLOC);
    if (clusters >= geometry.refcountsPerBlock()) {
      // A block takes the first cluster of those that it counts.
      long first = refcounts.takeBehind(clusters);
      boolean fresh = first >= usedEnd;
      usedEnd = Math.max(usedEnd, first + clusters);
      return new Run(first, clusters, fresh);
    }
    long first = firstFree();
    long length = 1;
    while (length < clusters) {
      if (isFree(first + length)) {
        length++;
      } else {
        first = nextFree(first + length);
        length = 1;
      }
    }
    return take(first, clusters);
  }

  /**
   * Takes the clusters at a place, as far as they are free.
   *
   * @return how many; may be none
   */
  long allocateAt(long firstCluster, long wanted) throws BlockException {
    refcounts.announce(DebugEvent.CLUSTER_ALLOC);
    long length = 0;
    while (length < wanted && isFree(firstCluster + length)) {
      length++;
    }
    if (length > 0) {
      take(firstCluster, length);
    }
    return length;
  }

  private boolean isFree(long cluster) throws BlockException {
    return isFree(cluster, 0);
  }

  private boolean isFree(long cluster, long behind) throws BlockException {
    refcounts.ensureCounted(cluster, behind);
    return refcounts.get(cluster) == 0;
  }

  private long firstFree() throws BlockException {
    long found = searchFrom;
    do {
      lowestFreed = Long.MAX_VALUE;
      found = Math.min(nextFree(found), lowestFreed);
    } while (lowestFreed != Long.MAX_VALUE); // the table of counts has grown, and left its place
    searchFrom = found;
    return found;
  }

  private long nextFree(long from) throws BlockException {
    long cluster = from;
    while (!isFree(cluster)) {
      cluster++;
    }
    return cluster;
  }

  private Run take(long first, long length) throws BlockException {
    guard.beforeWrite(first << geometry.clusterBits(), length << geometry.clusterBits());
    if (first == 0) {
      throw guard.damage().found("Preventing invalid allocation of data cluster at offset 0");
    }
    if (first + length << geometry.clusterBits() > MAX_HOST_BYTES) {
      throw new BlockException(Errno.EFBIG, "the image cannot grow any further");
    }
    refcounts.increase(first, length);
    keep(first, length);
    boolean fresh = first >= usedEnd;
    usedEnd = Math.max(usedEnd, first + length);
    if (first == searchFrom) {
      searchFrom = first + length;
    }
    return new Run(first, length, fresh);
  }

  /**
   * Takes a place for bytes that need not fill clusters, behind the last such place if there is
   * room.
   *
   * @return the offset in the file
   */
  long allocateBytes(int length) throws BlockException {
    refcounts.announce(DebugEvent.CLUSTER_ALLOC_BYTES);
    int inCluster = geometry.inCluster(nextByte);
    long here = geometry.clusterIndex(nextByte);
    if (nextByte != 0 && inCluster != 0 && refcounts.get(here) != geometry.maxRefcount()) {
      int left = geometry.clusterBytes() - inCluster;
      if (length <= left) {
        refcounts.increase(here, 1);
        return advance(nextByte, length);
      }
      long more = geometry.clustersOf(length - left);
      if (isRunFree(here + 1, more)) {
        refcounts.increase(here, 1);
        take(here + 1, more);
        return advance(nextByte, length);
      }
    }
    Run run = allocateContiguous(geometry.clustersOf(length));
    return advance(run.firstCluster() << geometry.clusterBits(), length);
  }

  private boolean isRunFree(long first, long clusters) throws BlockException {
    for (long cluster = first; cluster < first + clusters; cluster++) {
      if (!isFree(cluster)) {
        return false;
      }
    }
    return true;
  }

  private long advance(long place, int length) {
    nextByte = place + length;
    return place;
  }

  /** Takes back clusters that nothing on the disk has ever referred to. */
  void takeBack(long firstCluster, long clusters) throws BlockException {
    for (long cluster = firstCluster; cluster < firstCluster + clusters; cluster++) {
      drop(cluster);
    }
  }

  /** Takes back one reference to a cluster that no table on the disk holds any more. */
  void giveBack(long cluster, Freed why) throws BlockException {
    if (drop(cluster) && passedOn.contains(why)) {
      unwanted.add(cluster);
    }
  }

  /** Notes that one reference to a cluster is gone, once the tables are stable. */
  void release(long cluster, Freed why) {
    released.add(cluster << REASON_BITS | why.ordinal());
  }

  /** Notes that nobody wants what a cluster holds, which stays counted. */
  void empty(long cluster) {
    if (passedOn.contains(Freed.BY_REQUEST)) {
      unwanted.add(cluster);
    }
  }

  /** Somebody does want what a run of clusters is going to hold. */
  void keep(long firstCluster, long clusters) {
    if (!unwanted.isEmpty()) {
      unwanted.subSet(firstCluster, firstCluster + clusters).clear();
    }
  }

  /** How many references wait to be dropped. */
  int releasedCount() {
    return released.size();
  }

  /** Drops the first references that were released: the tables without them are stable. */
  void dropReleased(int count) throws BlockException {
    for (int i = 0; i < count; i++) {
      Long next = released.peek();
      if (next == null) {
        return;
      }
      giveBack(next >>> REASON_BITS, REASONS[(int) (next & REASON_MASK)]);
      released.remove();
    }
  }

  boolean hasUnwanted() {
    return !unwanted.isEmpty();
  }

  /** Gives space back to the host; that it cannot take it does not matter. */
  void discardUnwanted(Edge file) throws BlockException {
    while (!unwanted.isEmpty()) {
      long first = unwanted.removeFirst();
      long end = first + 1;
      while (unwanted.remove(end)) {
        end++;
      }
      try {
        file.discard(first << geometry.clusterBits(), end - first << geometry.clusterBits());
      } catch (BlockException e) {
        unwanted.clear(); // what one place refuses, the others will too
      }
    }
  }

  private boolean drop(long cluster) throws BlockException {
    refcounts.announce(DebugEvent.CLUSTER_FREE);
    if (!refcounts.decrease(cluster)) {
      return false;
    }
    if (nextByte != 0 && geometry.clusterIndex(nextByte) == cluster) {
      nextByte = 0;
    }
    return true;
  }

  /** Content of the file reaches to an offset, though zeroes at its end need not be written. */
  void reachesTo(long offset) {
    contentEnd = Math.max(contentEnd, offset);
  }

  /** Makes a file as long as its content where zeroes at its end were not written. */
  void reachEnd(Edge file) throws BlockException {
    if (file.lengthBytes() < contentEnd) {
      file.truncate(contentEnd, false, PreallocationMode.OFF);
    }
  }
}
