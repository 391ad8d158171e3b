package org.tinamou.block;

/** How space is reserved when a node grows. */
public enum PreallocationMode {
  OFF,
  /** The format's metadata only. */
  METADATA,
  /** The host reserves space without writing it. */
  FALLOC,
  /** Zeroes are written. */
  FULL
}
