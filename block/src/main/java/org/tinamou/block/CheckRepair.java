package org.tinamou.block;

/** What a check is to mend. */
public enum CheckRepair {
  NONE,
  /** Space that is taken by nothing. */
  LEAKS,
  ALL
}
