package org.tinamou.block.open;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionReader;

/** What images call the images below them: names relative to their own place. */
public final class BackingName {
  private BackingName() {}

  /**
   * How to open what an image names.
   *
   * @param file the node that holds the image
   * @param name as it stands in the image
   * @param format the format the image says it has, or null
   */
  @AnyThread
  public static ImageAddress address(BlockNode file, String name, @Nullable String format)
      throws BlockException {
    Json.Members options = new Json.Members();
    if (format != null) {
      options.put("driver", format);
    }
    String full = name.startsWith("json:") ? name : resolve(FileNames.placeOrEmpty(file), name);
    return new ImageAddress(full, options, OptionReader.Style.LOOSE);
  }

  /**
   * A name as seen from the place of another image.
   *
   * @param image the other image's plain name; empty if it has none
   */
  @AnyThread
  public static String resolve(String image, String name) throws BlockException {
    if (name.isEmpty() || name.startsWith("/") || DriverList.prefixOf(name) != null) {
      return name;
    }
    if (image.isEmpty() || image.startsWith("json:")) {
      throw new BlockException(
          Errno.EINVAL, "Cannot use relative backing file names for '" + image + "'");
    }
    String prefix = DriverList.prefixOf(image);
    int start = prefix == null ? 0 : prefix.length() + 1;
    int directory = image.lastIndexOf('/') + 1;
    return image.substring(0, Math.max(start, directory)) + name;
  }
}
