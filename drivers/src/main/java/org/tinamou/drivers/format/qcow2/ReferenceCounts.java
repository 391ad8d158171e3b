package org.tinamou.drivers.format.qcow2;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How often clusters are referred to, as counted from the tables: of one window of the file at a
 * time, so that memory stays bounded however large the file is.
 */
final class ReferenceCounts {
  private static final int PAGE_BITS = 12;
  private static final int PAGE_CLUSTERS = 1 << PAGE_BITS;
  private static final int BUDGET_BYTES = 48 << 20;

  /** Counts of a run of clusters; as wide as the image's own, but at least a byte. */
  private sealed interface Page {
    long get(int index);

    void set(int index, long count);
  }

  private record Bytes(byte[] counts) implements Page {
    @Override
    public long get(int index) {
      return counts[index] & 0xff;
    }

    @Override
    public void set(int index, long count) {
      counts[index] = (byte) count;
    }
  }

  private record Shorts(char[] counts) implements Page {
    @Override
    public long get(int index) {
      return counts[index];
    }

    @Override
    public void set(int index, long count) {
      counts[index] = (char) count;
    }
  }

  private record Longs(long[] counts) implements Page {
    @Override
    public long get(int index) {
      return counts[index];
    }

    @Override
    public void set(int index, long count) {
      counts[index] = count;
    }
  }

  private final int refcountOrder;
  private final long most;
  private final long windowPages;
  private final Map<Long, Page> pages = new HashMap<>();
  private long firstPage;
  private long nextPage;

  /** The page that was used last, as neighbours come together. */
  private @Nullable Page recent;

  private long recentIndex = -1;

  ReferenceCounts(Geometry geometry) {
    this.refcountOrder = geometry.refcountOrder();
    long max = geometry.maxRefcount();
    this.most = max < 0 ? Long.MAX_VALUE : max;
    int width = refcountOrder <= 3 ? Byte.BYTES : refcountOrder == 4 ? Short.BYTES : Long.BYTES;
    this.windowPages = BUDGET_BYTES / (PAGE_CLUSTERS * width);
  }

  /** Forgets everything and counts the clusters from about this one on. */
  void startWindow(long firstCluster) {
    pages.clear();
    recent = null;
    recentIndex = -1;
    firstPage = firstCluster >>> PAGE_BITS;
    nextPage = Long.MAX_VALUE;
  }

  long windowStart() {
    return firstPage << PAGE_BITS;
  }

  /** The first cluster behind those that are counted at present. */
  long windowEnd() {
    return firstPage + windowPages << PAGE_BITS;
  }

  /** A cluster not behind the first one behind the window that is referred to; or a huge number. */
  long nextReferred() {
    return nextPage == Long.MAX_VALUE ? Long.MAX_VALUE : nextPage << PAGE_BITS;
  }

  boolean contains(long cluster) {
    return cluster >= windowStart() && cluster < windowEnd();
  }

  private @Nullable Page page(long index) {
    if (index != recentIndex) {
      recent = pages.get(index);
      recentIndex = index;
    }
    return recent;
  }

  /**
   * Counts references to a cluster, if the window has it.
   *
   * @return how many of them could not be counted any more
   */
  long add(long cluster, long references) {
    long index = cluster >>> PAGE_BITS;
    if (index < firstPage) {
      return 0;
    }
    if (index >= firstPage + windowPages) {
      nextPage = Math.min(nextPage, index);
      return 0;
    }
    Page page = page(index);
    if (page == null) {
      page = newPage();
      pages.put(index, page);
      recent = page;
    }
    int inPage = (int) cluster & PAGE_CLUSTERS - 1;
    long before = page.get(inPage);
    long counted = Math.min(references, most - before);
    page.set(inPage, before + counted);
    return references - counted;
  }

  private Page newPage() {
    if (refcountOrder <= 3) {
      return new Bytes(new byte[PAGE_CLUSTERS]);
    }
    return refcountOrder == 4
        ? new Shorts(new char[PAGE_CLUSTERS])
        : new Longs(new long[PAGE_CLUSTERS]);
  }

  /** The references to a cluster of the window. */
  long get(long cluster) {
    Page page = page(cluster >>> PAGE_BITS);
    return page == null ? 0 : page.get((int) cluster & PAGE_CLUSTERS - 1);
  }
}
