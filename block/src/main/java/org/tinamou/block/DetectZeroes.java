package org.tinamou.block;

/** What happens to writes whose data is all zeroes. */
public enum DetectZeroes {
  OFF,
  /** They become write-zeroes. */
  ON,
  /** They become write-zeroes that may give space back. */
  UNMAP
}
