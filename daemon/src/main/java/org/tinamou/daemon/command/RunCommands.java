package org.tinamou.daemon.command;

import org.tinamou.daemon.Daemon;
import org.tinamou.qapi.Json;

/** The program as a whole. */
final class RunCommands {
  private final Daemon daemon;

  RunCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.action("quit", _ -> quit());
    list.query("query-version", _ -> Version.report());
    list.query("query-status", _ -> status());
    list.action("stop", _ -> setRunning(false));
    list.action("cont", _ -> setRunning(true));
  }

  /** Whoever asks is told first of the end, and of the exports and jobs that end. */
  private void quit() {
    daemon.quitAsked();
    daemon.endWork();
    daemon.quit();
  }

  private Json status() {
    boolean running = daemon.isRunning();
    return new Json.Members()
        .put("running", running)
        .put("singlestep", false)
        .put("status", daemon.runState());
  }

  private void setRunning(boolean runs) {
    if (daemon.isRunning() != runs) {
      daemon.setRunning(runs);
      daemon.events().emit(runs ? "RESUME" : "STOP", new Json.Members());
    }
  }
}
