package org.tinamou.testkit.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.tinamou.base.SeededRandom;

/**
 * One file: what reads see, what would survive a power cut, and the writes in between. Confined to
 * its simulation's thread.
 */
final class SimFile {
  static final int PAGE_BYTES = 4096;
  private static final int SECTOR_BYTES = 512;

  /**
   * A change that has reached the cache and not yet the medium; {@code bytes} null is a truncate.
   */
  private record Change(long offset, byte[] bytes, long sizeAfter) {}

  private record Image(TreeMap<Long, byte[]> pages, long[] size) {
    Image() {
      this(new TreeMap<>(), new long[1]);
    }

    Image copy() {
      Image copy = new Image();
      pages.forEach((index, page) -> copy.pages.put(index, page.clone()));
      copy.size[0] = size[0];
      return copy;
    }

    void write(long offset, byte[] bytes, int from, int to) {
      for (int at = from; at < to; ) {
        long position = offset + at;
        byte[] page = pages.computeIfAbsent(position / PAGE_BYTES, k -> new byte[PAGE_BYTES]);
        int inPage = (int) (position % PAGE_BYTES);
        int length = Math.min(to - at, PAGE_BYTES - inPage);
        System.arraycopy(bytes, at, page, inPage, length);
        at += length;
      }
    }

    void read(long offset, byte[] into) {
      for (int at = 0; at < into.length; ) {
        long position = offset + at;
        int inPage = (int) (position % PAGE_BYTES);
        int length = Math.min(into.length - at, PAGE_BYTES - inPage);
        byte[] page = pages.get(position / PAGE_BYTES);
        if (page != null) {
          System.arraycopy(page, inPage, into, at, length);
        }
        at += length;
      }
    }

    void resize(long newSize) {
      long old = size[0];
      size[0] = newSize;
      if (newSize < old) {
        pages.tailMap((newSize + PAGE_BYTES - 1) / PAGE_BYTES).clear();
        byte[] last = pages.get(newSize / PAGE_BYTES);
        if (last != null) {
          java.util.Arrays.fill(last, (int) (newSize % PAGE_BYTES), PAGE_BYTES, (byte) 0);
        }
      }
    }
  }

  private static final byte[] NONE = new byte[0];

  private Image visible = new Image();
  private Image durable = new Image();
  private final List<Change> unflushed = new ArrayList<>();

  long size() {
    return visible.size[0];
  }

  long allocatedBytes() {
    return (long) visible.pages.size() * PAGE_BYTES;
  }

  byte[] read(long offset, int length) {
    byte[] bytes = new byte[(int) Math.max(0, Math.min(length, size() - offset))];
    visible.read(offset, bytes);
    return bytes;
  }

  void write(long offset, byte[] bytes) {
    visible.write(offset, bytes, 0, bytes.length);
    visible.size[0] = Math.max(size(), offset + bytes.length);
    unflushed.add(new Change(offset, bytes, size()));
  }

  void resize(long newSize) {
    visible.resize(newSize);
    unflushed.add(new Change(-1, NONE, newSize));
  }

  /** Makes a range read as zeroes; whole pages become holes. */
  void punch(long offset, long length) {
    long end = Math.min(offset + length, size());
    if (end <= offset) {
      return;
    }
    write(offset, new byte[(int) (end - offset)]);
    long firstPage = (offset + PAGE_BYTES - 1) / PAGE_BYTES;
    long endPage = end / PAGE_BYTES;
    if (firstPage < endPage) {
      visible.pages.subMap(firstPage, endPage).clear();
    }
  }

  long nextData(long offset) {
    if (offset >= size()) {
      return -1;
    }
    Long page = visible.pages.ceilingKey(offset / PAGE_BYTES);
    return page == null || page * PAGE_BYTES >= size() ? -1 : Math.max(offset, page * PAGE_BYTES);
  }

  long nextHole(long offset) {
    if (offset >= size()) {
      return -1;
    }
    long page = offset / PAGE_BYTES;
    while (visible.pages.containsKey(page)) {
      page++;
    }
    return Math.min(size(), Math.max(offset, page * PAGE_BYTES));
  }

  /** How many changes a flush that starts now has to make durable. */
  int flushMark() {
    return unflushed.size();
  }

  /** Ends a flush: the changes before the mark are durable, or dropped if it failed. */
  void flushed(int mark, boolean failed) {
    List<Change> covered = unflushed.subList(0, Math.min(mark, unflushed.size()));
    if (!failed) {
      for (Change change : covered) {
        apply(durable, change, 0, change.bytes.length);
      }
    }
    covered.clear();
  }

  private static void apply(Image image, Change change, int from, int to) {
    if (change.offset < 0) {
      image.resize(change.sizeAfter);
      return;
    }
    image.write(change.offset, change.bytes, from, to);
    image.size[0] = Math.max(image.size[0], change.offset + to);
  }

  /** A write that was under way when the power went. */
  void abandon(long offset, byte[] bytes) {
    unflushed.add(new Change(offset, bytes, Math.max(size(), offset + bytes.length)));
  }

  /** The power goes: any subset of the unflushed changes survives, some of them torn. */
  void crash(SeededRandom random) {
    for (Change change : unflushed) {
      int sectors = (change.bytes.length + SECTOR_BYTES - 1) / SECTOR_BYTES;
      switch (random.nextInt(4)) {
        case 0 -> {}
        case 1 -> {
          for (int i = 0; i < sectors; i++) {
            if (random.nextBoolean()) {
              int from = i * SECTOR_BYTES;
              apply(durable, change, from, Math.min(change.bytes.length, from + SECTOR_BYTES));
            }
          }
        }
        default -> apply(durable, change, 0, change.bytes.length);
      }
    }
    unflushed.clear();
    visible = durable.copy();
  }
}
