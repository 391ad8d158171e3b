package org.tinamou.testkit.nbd;

import org.tinamou.aio.AioContext;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.testkit.net.MemoryExport;
import org.tinamou.testkit.sim.Simulation;

/** The ways in which a session can be spoken. */
enum Style {
  OLDSTYLE,
  /** A server that knows one option, the export's name. */
  NEWSTYLE,
  STRUCTURED,
  EXTENDED;

  Session session() {
    return new Session(this == EXTENDED);
  }

  ServerOptions options() {
    return this == OLDSTYLE ? ServerOptions.DEFAULT.inOldStyle() : ServerOptions.DEFAULT;
  }

  NbdServer server(Simulation simulation, AioContext loop) {
    NbdServer server = new NbdServer(loop, options(), NbdServer.Listener.NONE);
    server.add(new MemoryExport(simulation.random().fork(), Session.SIZE_BYTES, false));
    return server;
  }
}
