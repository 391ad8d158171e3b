package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.aio.AioContext;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.nbd.client.ClientSession;
import org.tinamou.nbd.client.ClientSession.Extent;
import org.tinamou.nbd.client.HandshakeFailed;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.testkit.net.SimStream;
import org.tinamou.testkit.sim.Simulation;

/** Two contexts of one connection: each is asked for alone. */
final class BlockStatusTest {
  @ParameterizedTest(name = "long headers, whose requests name contexts: {0}")
  @ValueSource(booleans = {false, true})
  void tellsOfTheContextThatIsMeant(boolean extended) {
    Simulation simulation = new Simulation(1, false);
    simulation.calmDown();
    byte[][] told = new byte[1][];
    AioContext loop = simulation.newLoop("both");
    loop.spawn(
        "status",
        () -> {
          NbdServer server = Style.STRUCTURED.server(simulation, loop);
          List<SimStream> ends = simulation.network().pair();
          server.serve(ends.getLast());
          try {
            ask(ends.getFirst(), extended);
          } catch (SessionEnded | HandshakeFailed | ErrnoException e) {
            throw new AssertionError(e);
          }
          told[0] = ends.getLast().written();
          server.stop();
        });
    assertTrue(simulation.run(2_000_000), "still busy");
    simulation.checkAtRest();
    simulation.closeLoops();
    // Of twelve requests; where they cannot name the context, both are told.
    assertEquals(extended ? 12 : 24, statusChunks(told[0], extended));
  }

  private static int statusChunks(byte[] bytes, boolean extended) {
    ByteBuffer sent = ByteBuffer.wrap(bytes);
    int magic = extended ? Nbd.EXTENDED_REPLY_MAGIC : Nbd.STRUCTURED_REPLY_MAGIC;
    int type = extended ? Nbd.CHUNK_BLOCK_STATUS_EXT : Nbd.CHUNK_BLOCK_STATUS;
    int count = 0;
    for (int at = 0; at + 8 <= bytes.length; at++) {
      count += sent.getInt(at) == magic && sent.getShort(at + 6) == type ? 1 : 0;
    }
    return count;
  }

  private static void ask(SimStream stream, boolean extended)
      throws SessionEnded, HandshakeFailed, ErrnoException {
    List<String> both = List.of(Nbd.BASE_ALLOCATION, Nbd.ALLOCATION_DEPTH);
    ClientSession session = ClientSession.open(stream, "", both, extended);
    assertEquals(2, session.export().contexts().size());
    session.write(0, IoVector.of(Arena.ofAuto().allocate(4096).fill((byte) 1)), false);
    for (int i = 0; i < 3; i++) {
      assertEquals(new Extent(4096, 1), session.blockStatus(Nbd.ALLOCATION_DEPTH, 0, 8192));
      assertEquals(new Extent(4096, 0), session.blockStatus(Nbd.BASE_ALLOCATION, 0, 8192));
      long hole = Nbd.STATE_HOLE | Nbd.STATE_ZERO;
      assertEquals(new Extent(4096, hole), session.blockStatus(Nbd.BASE_ALLOCATION, 4096, 4096));
      assertEquals(new Extent(4096, 0), session.blockStatus(Nbd.ALLOCATION_DEPTH, 4096, 4096));
    }
    session.close();
  }
}
