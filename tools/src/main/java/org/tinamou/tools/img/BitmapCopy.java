package org.tinamou.tools.img;

import java.util.List;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/** Takes the bitmaps that an image keeps over to a copy of it. */
final class BitmapCopy {
  private BitmapCopy() {}

  private static List<DirtyBitmap> kept(OpenImage source) {
    return source.bitmaps().all().stream().filter(DirtyBitmap::isPersistent).toList();
  }

  /** Refuses what cannot be taken over. */
  static void check(OpenImage source, boolean skipBroken) throws ToolException {
    if (!source.bitmaps().areKept()) {
      throw new ToolException("Source lacks bitmap support");
    }
    for (DirtyBitmap bitmap : kept(source)) {
      if (bitmap.isInconsistent() && !skipBroken) {
        throw ToolException.of(
            "",
            new BlockException(
                    Errno.EINVAL, "Cannot copy inconsistent bitmap '" + bitmap.name() + "'")
                .withHint(
                    "Try --skip-broken-bitmaps, or use 'qemu-img bitmap --remove' to delete it"));
      }
    }
  }

  static void copy(Console console, OpenImage source, OpenImage target) throws ToolException {
    for (DirtyBitmap bitmap : kept(source)) {
      String name = String.valueOf(bitmap.name());
      if (bitmap.isInconsistent()) {
        console.warning("Skipping inconsistent bitmap '" + name + "'");
        continue;
      }
      DirtyBitmap copy;
      try {
        copy = target.bitmaps().add(name, bitmap.granularityBytes());
      } catch (BlockException e) {
        throw ToolException.of("Failed to create bitmap " + name + ": ", e);
      }
      try {
        copy.merge(bitmap);
      } catch (BlockException e) {
        target.bitmaps().remove(copy);
        throw ToolException.of("Failed to populate bitmap " + name + ": ", e);
      }
      if (!bitmap.isRecording()) {
        copy.disable();
      }
    }
  }
}
