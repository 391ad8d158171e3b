package org.tinamou.block.open;

import org.tinamou.aio.AnyThread;

/**
 * How far an image is believed: what is opened because the image names it, and whether its format
 * is guessed from its first bytes, which whoever wrote the image has chosen.
 *
 * @param references which of the files that images name are opened
 * @param guessing whether a format that nobody gave is found out
 */
public record ImagePolicy(References references, boolean guessing) {
  /** Which of the files that images name are opened. What the caller names always is. */
  public enum References {
    /** Whatever they name: files, devices, protocols, {@code json:} descriptions. */
    ANY,
    /** Regular files in the directory of the image that names them, and nothing else. */
    SAME_DIRECTORY,
    /** Nothing. */
    NONE
  }

  /** Images are believed, as the reference believes them. */
  public static final ImagePolicy TRUSTING = new ImagePolicy(References.ANY, true);

  /** For images from strangers. */
  public static final ImagePolicy UNTRUSTED = new ImagePolicy(References.NONE, false);

  /** The same with other files that images may name. */
  @AnyThread
  public ImagePolicy withReferences(References other) {
    return new ImagePolicy(other, guessing);
  }
}
