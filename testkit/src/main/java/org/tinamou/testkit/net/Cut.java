package org.tinamou.testkit.net;

/** How bytes stop coming. */
public enum Cut {
  /** The other side has ended the connection in an orderly way. */
  FIN,
  /** The connection is gone. */
  RESET,
  /** Nothing more comes, and nobody says so. */
  STALL
}
