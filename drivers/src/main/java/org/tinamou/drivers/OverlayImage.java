package org.tinamou.drivers;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;

/** A driver whose image can stand on another one, which it names. */
public interface OverlayImage extends BlockDriver {
  /**
   * Names another image below, or none. What is open stays below until the image is closed.
   *
   * @param name as it goes into the image, or null
   * @param format the format of the image below, or null if nobody says
   * @throws BlockException with ENOSPC if there is no room for the name, EINVAL if it is too long
   */
  @InCoroutine
  void changeBacking(@Nullable String name, @Nullable String format) throws BlockException;

  /**
   * Forgets everything the image itself holds: what is below shows through, also after a power cut
   * when this has returned.
   */
  @InCoroutine
  void makeEmpty() throws BlockException;
}
