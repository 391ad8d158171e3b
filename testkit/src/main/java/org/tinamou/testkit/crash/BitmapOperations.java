package org.tinamou.testkit.crash;

import org.jspecify.annotations.Nullable;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.bitmap.DirtyBitmap;

/** What is done to the bitmap that an image has from the beginning. */
final class BitmapOperations {
  /** Its name. */
  static final String OLD = "old bitmap";

  private BitmapOperations() {}

  static @Nullable DirtyBitmap old(CrashImage image) {
    return image.bitmaps().stream()
        .filter(bitmap -> OLD.equals(bitmap.name()))
        .findAny()
        .orElse(null);
  }

  /** One of what can be done to it alone. */
  static void change(CrashImage image, SeededRandom random) throws BlockException {
    DirtyBitmap bitmap = old(image);
    if (bitmap == null) {
      return;
    }
    switch (random.nextInt(4)) {
      case 0 -> image.removeBitmap(bitmap);
      case 1 -> bitmap.clear();
      case 2 -> bitmap.disable();
      default -> {
        image.addBitmap("other");
        bitmap.mark(0, image.backend().lengthBytes());
      }
    }
  }

  /** As the reference does it: what is merged is on the disk when the image is closed. */
  static void merge(CrashImage image) throws BlockException {
    DirtyBitmap bitmap = old(image);
    if (bitmap == null || bitmap.sizeBytes() != image.backend().lengthBytes()) {
      return;
    }
    DirtyBitmap other = image.addPassingBitmap("passing");
    other.mark(0, image.backend().lengthBytes() / 2);
    bitmap.merge(other);
    image.removeBitmap(other);
  }

  static void enable(CrashImage image) {
    DirtyBitmap bitmap = old(image);
    if (bitmap != null) {
      bitmap.disable();
      bitmap.mark(0, GuestModel.SECTOR_BYTES);
      bitmap.enable();
    }
  }
}
