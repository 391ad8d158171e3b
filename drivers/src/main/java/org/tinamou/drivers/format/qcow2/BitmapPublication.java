package org.tinamou.drivers.format.qcow2;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.block.BlockException;

/** Has the header name another directory of bitmaps, which is on the disk. */
final class BitmapPublication {
  private BitmapPublication() {}

  static void publish(Qcow2Image image, BitmapTables tables) throws BlockException {
    Qcow2Header before = Qcow2Type.readHeader(image.file());
    long others = before.autoclear() & ~Features.AUTOCLEAR_BITMAPS;
    long valid = others | Features.AUTOCLEAR_BITMAPS;
    List<HeaderExtension> extensions =
        new ArrayList<>(before.extensionsWithout(HeaderExtension.BITMAPS));
    if (!tables.tables().isEmpty()) {
      extensions.add(tables.extension());
    }
    boolean replaces = before.autoclear() == valid && !tables.tables().isEmpty();
    if (replaces && HeaderFields.canStepTo(image.file(), before, before.with(extensions, valid))) {
      exchange(image, extensions, valid);
      return;
    }
    // Nobody looks at the extension while it is written, which may be more than one sector.
    HeaderFields.writeAutoclear(image.file(), others);
    image.rewriteHeader(header -> header.with(extensions, others));
    if (!tables.tables().isEmpty()) {
      HeaderFields.writeAutoclear(image.file(), valid);
    }
  }

  /** At each moment the header names the old directory or the new one. */
  private static void exchange(Qcow2Image image, List<HeaderExtension> extensions, long autoclear)
      throws BlockException {
    try {
      image.rewriteHeader(header -> header.with(extensions, autoclear));
    } catch (BlockException e) {
      try {
        // Which one it names cannot be said now.
        HeaderFields.writeAutoclear(image.file(), autoclear & ~Features.AUTOCLEAR_BITMAPS);
      } catch (BlockException again) {
        image.damage().headerUnknown();
      }
      throw e;
    }
  }
}
