package org.tinamou.monitor;

import org.tinamou.qapi.Json;

/** One client's session, as {@link Monitors} sees it. All on the main loop. */
interface Session {
  /** Something has happened; told to the client if it wants to know. */
  void event(Json event);

  /** Takes no further commands, and forgets those that have not begun. */
  void endInput();

  /** Whether nothing is carried out for the client and it has been sent everything. */
  boolean isSent();

  /** What the client has not been sent yet. */
  long outputBytes();

  /** Ends the connection; the session is over once its last command is. */
  void abandon();
}
