package org.tinamou.drivers.format.qcow2;

import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.open.BackingName;
import org.tinamou.block.open.FileNames;
import org.tinamou.drivers.ImageDescription;

/** The image below as an image writes it down: its name and format, or null for neither. */
record BackingWords(@Nullable String name, @Nullable String format) {
  /** What is told of an image, whose words may have changed since it was opened. */
  static ImageDescription in(Qcow2Image image, ImageDescription opened) {
    BackingWords words = image.backingWords();
    return words == null
        ? opened
        : new ImageDescription(
            opened.lengthBytes(),
            opened.clusterBytes(),
            opened.dirty(),
            words.name,
            words.format,
            opened.hasMore(),
            opened.specific());
  }

  /** The name by which the image can be opened again; empty if that would find another below. */
  static String exactName(Qcow2Image image, ImageDescription described) {
    String name = FileNames.exactOfImageIn(image.file().child());
    boolean exact =
        !image.isBackingChanged() || leadTo(image.backing(), name, described.backingName());
    return exact ? name : "";
  }

  /** Whether an image's words lead to what is below it now. */
  private static boolean leadTo(@Nullable Edge below, String fileName, @Nullable String named) {
    if (named == null || below == null) {
      return named == null && below == null;
    }
    try {
      return BackingName.resolve(fileName, named).equals(FileNames.of(below.child()));
    } catch (BlockException e) {
      return false;
    }
  }
}
