package org.tinamou.drivers.protocol.file;

/**
 * What a user of an image does with it and lets others do with it. The order is that of the locked
 * bytes.
 */
public enum Permission {
  CONSISTENT_READ("consistent read"),
  WRITE("write"),
  WRITE_UNCHANGED("write unchanged"),
  RESIZE("resize");

  private final String text;

  Permission(String text) {
    this.text = text;
  }

  /** As error messages call it. */
  public String text() {
    return text;
  }
}
