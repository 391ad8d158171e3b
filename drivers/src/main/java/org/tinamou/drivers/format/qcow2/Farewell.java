package org.tinamou.drivers.format.qcow2;

import java.util.function.Consumer;
import org.tinamou.block.BlockException;

/**
 * The last that is done with an image that was written to: what is in memory goes to the disk, and
 * nobody is left who could be told by an exception that it did not.
 */
final class Farewell {
  private final Qcow2Image image;
  private final Consumer<String> errors;

  /**
   * Of an image.
   *
   * @param errors told of what could not be brought to the disk
   */
  Farewell(Qcow2Image image, Consumer<String> errors) {
    this.image = image;
    this.errors = errors;
  }

  /** The caller holds the metadata lock. */
  void say() {
    try {
      image.finish();
    } catch (BlockException e) {
      sayAgain();
    }
  }

  /** What failed may have been a passing fault, and what did not fail need not be lost. */
  private void sayAgain() {
    boolean complete = true;
    try {
      image.stabilise();
      image.map().writeBackSlices();
      image.file().flush();
    } catch (BlockException e) {
      complete = false;
      errors.accept("Failed to flush the L2 table cache: " + e.errno().message());
    }
    try {
      image.stabiliseCounts();
    } catch (BlockException e) {
      complete = false;
      errors.accept("Failed to flush the refcount block cache: " + e.errno().message());
    }
    if (complete) {
      try {
        image.finish();
      } catch (BlockException e) {
        errors.accept("Failed to close the image in order: " + e.errno().message());
      }
    }
  }
}
