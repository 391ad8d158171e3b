package org.tinamou.api;

import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** Extents of a range, each asked for when it is wanted. */
final class ExtentIterator implements Iterator<DiskExtent> {
  private final VirtualDisk disk;
  private final long end;
  private long position;

  ExtentIterator(VirtualDisk disk, long start, long end) {
    this.disk = disk;
    this.position = start;
    this.end = end;
  }

  @Override
  public boolean hasNext() {
    return position < end;
  }

  @Override
  public DiskExtent next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the range has ended");
    }
    try {
      DiskExtent extent = disk.extentAt(position, end - position);
      position += extent.lengthBytes();
      return extent;
    } catch (DiskException e) {
      throw new UncheckedIOException(e);
    }
  }
}
