package org.tinamou.nbd.wire;

/** The connection is of no more use: the peer has gone, or has broken the protocol. */
public final class SessionEnded extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param reason for a person
   */
  public SessionEnded(String reason) {
    super(reason);
  }

  /** Why. */
  public String reason() {
    return String.valueOf(getMessage());
  }
}
