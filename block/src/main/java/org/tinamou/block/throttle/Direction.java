package org.tinamou.block.throttle;

/** What limits tell apart. */
enum Direction {
  READ,
  /** Writes, discards and zeroes. */
  WRITE
}
