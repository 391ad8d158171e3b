package org.tinamou.block;

/** What a child is to its parent; an edge may have several roles. */
public enum EdgeRole {
  /** Holds guest data. */
  DATA,
  /** Holds the parent's own metadata. */
  METADATA,
  /** Everything the parent shows comes from it, unchanged: the parent is a filter. */
  FILTERED,
  /** Shows through where the parent has nothing of its own: a backing file. */
  COPY_ON_WRITE,
  /** The child that a command without a child name means. */
  PRIMARY
}
