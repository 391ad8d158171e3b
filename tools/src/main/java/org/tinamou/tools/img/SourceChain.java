package org.tinamou.tools.img;

import java.lang.foreign.Arena;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.MappedImage;
import org.tinamou.tools.image.OpenImage;

/** Several images read as one, each behind the other. Coroutines of any loop. */
final class SourceChain {
  private final List<OpenImage> images;
  private final long[] startBytes;
  private final long lengthBytes;
  private final @Nullable MappedImage[] mapped;

  SourceChain(List<OpenImage> images) {
    this.images = images;
    this.startBytes = new long[images.size()];
    long length = 0;
    for (int index = 0; index < images.size(); index++) {
      startBytes[index] = length;
      length += images.get(index).lengthBytes();
    }
    this.lengthBytes = length;
    this.mapped = new @Nullable MappedImage[images.size()];
  }

  long lengthBytes() {
    return lengthBytes;
  }

  /** Whether all bytes come from the host's page cache. */
  boolean isHostCached() {
    return images.stream().allMatch(OpenImage::isHostCached);
  }

  /** Whether there is nothing to wait for but what this host itself does. */
  boolean isNear() {
    return images.stream().allMatch(each -> each.isHostCached() || each.isServedByNeighbour());
  }

  /** Maps the images' files, as far as that can be done, until the arena closes. */
  void map(Arena arena) throws BlockException {
    for (int index = 0; index < mapped.length; index++) {
      mapped[index] = MappedImage.of(images.get(index), arena);
    }
  }

  /** Where a range of one image lies in the host's cache, or null if it has to be read. */
  MappedImage.@Nullable Place placeOf(long offset, long length) throws BlockException {
    int index = indexAt(offset);
    MappedImage image = mapped[index];
    long inside = offset - startBytes[index];
    return image == null || inside + length > images.get(index).lengthBytes()
        ? null
        : image.at(inside, length);
  }

  private int indexAt(long offset) {
    int index = images.size() - 1;
    while (startBytes[index] > offset) {
      index--;
    }
    return index;
  }

  /**
   * The extent at an offset; it ends where its image does.
   *
   * @param alone whether to leave out what lies below the image
   */
  Extent extentAt(long offset, boolean alone) throws BlockException {
    int index = indexAt(offset);
    OpenImage image = images.get(index);
    long inside = offset - startBytes[index];
    long left = image.lengthBytes() - inside;
    return alone ? image.extentAt(inside, left) : image.extentInChain(inside, left);
  }

  /** Reads a range. */
  void read(IoVector buffers, long offset) throws BlockException {
    for (long done = 0; done < buffers.sizeBytes(); ) {
      int index = indexAt(offset + done);
      OpenImage image = images.get(index);
      long inside = offset + done - startBytes[index];
      long length = Math.min(buffers.sizeBytes() - done, image.lengthBytes() - inside);
      image.read(buffers.slice(done, length), inside);
      done += length;
    }
  }

  /** Has the host copy a range that lies in one image, if that is possible. */
  boolean copyTo(OpenImage target, long offset, long length) throws BlockException {
    int index = indexAt(offset);
    return target.copyFrom(images.get(index), offset - startBytes[index], offset, length);
  }
}
