package org.tinamou.block;

/** How a backend is since it was last resumed. */
public enum IoStatus {
  OK("ok"),
  /** Stopped by an error. */
  FAILED("failed"),
  /** Stopped since there was no space left. */
  NOSPACE("nospace");

  private final String wireName;

  IoStatus(String wireName) {
    this.wireName = wireName;
  }

  public String wireName() {
    return wireName;
  }
}
