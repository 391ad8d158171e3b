package org.tinamou.tools.img;

import java.util.List;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.OpenImage;

/** Several images read as one, each behind the other. Coroutines of one loop. */
final class SourceChain {
  private final List<OpenImage> images;
  private final long[] startBytes;
  private final long lengthBytes;

  SourceChain(List<OpenImage> images) {
    this.images = images;
    this.startBytes = new long[images.size()];
    long length = 0;
    for (int index = 0; index < images.size(); index++) {
      startBytes[index] = length;
      length += images.get(index).lengthBytes();
    }
    this.lengthBytes = length;
  }

  long lengthBytes() {
    return lengthBytes;
  }

  private int indexAt(long offset) {
    int index = images.size() - 1;
    while (startBytes[index] > offset) {
      index--;
    }
    return index;
  }

  /** The extent at an offset; it ends where its image does. */
  Extent extentAt(long offset) throws BlockException {
    int index = indexAt(offset);
    OpenImage image = images.get(index);
    long inside = offset - startBytes[index];
    return image.extentAt(inside, image.lengthBytes() - inside);
  }

  /** Reads a range that lies in one image. */
  void read(IoVector buffers, long offset) throws BlockException {
    int index = indexAt(offset);
    images.get(index).read(buffers, offset - startBytes[index]);
  }

  /** Copies a range that lies in one image inside the host. */
  long copyTo(OpenImage target, long offset, long length) throws BlockException {
    int index = indexAt(offset);
    return target.copyFrom(images.get(index), offset - startBytes[index], offset, length);
  }
}
