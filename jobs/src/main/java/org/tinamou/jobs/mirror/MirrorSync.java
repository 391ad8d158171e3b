package org.tinamou.jobs.mirror;

/** What is copied beside what is written from now on. */
public enum MirrorSync {
  /** All that the source shows. */
  FULL,
  /** What the source's top layer holds. */
  TOP,
  /** Nothing. */
  NONE
}
