package org.tinamou.jobs.mirror;

/** When a guest's write reaches the target. */
public enum CopyMode {
  /** Some time after it has ended. */
  BACKGROUND("background"),
  /** Before it ends. */
  WRITE_BLOCKING("write-blocking");

  private final String wireName;

  CopyMode(String wireName) {
    this.wireName = wireName;
  }

  public String wireName() {
    return wireName;
  }
}
