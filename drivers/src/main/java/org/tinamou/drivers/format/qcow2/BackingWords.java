package org.tinamou.drivers.format.qcow2;

import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.open.BackingName;
import org.tinamou.block.open.FileNames;
import org.tinamou.drivers.ImageDescription;

/** The image below as an image writes it down: its name and format, or null for neither. */
record BackingWords(@Nullable String name, @Nullable String format) {
  /** What is told of an image whose words have changed since it was opened. */
  ImageDescription in(ImageDescription opened) {
    return new ImageDescription(
        opened.lengthBytes(),
        opened.clusterBytes(),
        opened.dirty(),
        name,
        format,
        opened.hasMore(),
        opened.specific());
  }

  /** Whether an image's words lead to what is below it now. */
  static boolean leadTo(@Nullable Edge below, String fileName, @Nullable String named) {
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
