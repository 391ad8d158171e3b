package org.tinamou.drivers;

import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;

/** A driver that can change what its image was made with. */
public interface AmendableImage extends BlockDriver {
  /** What can be changed. */
  @AnyThread
  OptionSchema amendOptions();

  /** Everything that can be said when an image is made. */
  @AnyThread
  OptionSchema creationOptions();

  /**
   * Changes the image, which is used by nobody else meanwhile and has to be closed afterwards.
   *
   * @param values checked against {@link #amendOptions()}
   * @param force whether data may become unreadable
   */
  @InCoroutine
  void amend(OptionValues values, boolean force) throws BlockException, OptionException;

  /** The same where no data may become unreadable. */
  @InCoroutine
  default void amend(OptionValues values) throws BlockException, OptionException {
    amend(values, false);
  }
}
