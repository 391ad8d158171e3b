package org.tinamou.api;

import org.tinamou.block.open.ImagePolicy;

/**
 * How far an image is believed that is opened. Whoever wrote an image may have named any file,
 * device or server in it, and have chosen the bytes that its format would be guessed from.
 *
 * @param references which of the files that images name are opened
 * @param guessing whether a format that nobody gave is found out
 */
public record OpenPolicy(References references, boolean guessing) {
  /** Which of the files that images name are opened. What the caller names always is. */
  public enum References {
    /** Whatever they name: files, devices, servers, {@code json:} descriptions. */
    ANY,
    /** Regular files in the directory of the image that names them, and nothing else. */
    SAME_DIRECTORY,
    /** Nothing: images that need another one are refused. */
    NONE
  }

  /** For images of one's own. */
  public static final OpenPolicy TRUSTING = new OpenPolicy(References.ANY, true);

  /** For images from strangers: nothing they name is opened, and their format has to be given. */
  public static final OpenPolicy UNTRUSTED = new OpenPolicy(References.NONE, false);

  /** The same with other files that images may name. */
  public OpenPolicy withReferences(References other) {
    return new OpenPolicy(other, guessing);
  }

  ImagePolicy toImagePolicy() {
    ImagePolicy.References allowed =
        switch (references) {
          case ANY -> ImagePolicy.References.ANY;
          case SAME_DIRECTORY -> ImagePolicy.References.SAME_DIRECTORY;
          case NONE -> ImagePolicy.References.NONE;
        };
    return new ImagePolicy(allowed, guessing);
  }
}
