package org.tinamou.monitor.hmp;

/** A line that cannot be understood; the message is for the person who wrote it. */
final class BadLine extends Exception {
  private static final long serialVersionUID = 1L;

  BadLine(String message) {
    super(message);
  }
}
