package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.nbd.client.ClientHandshake;
import org.tinamou.nbd.client.ClientSession;
import org.tinamou.nbd.client.HandshakeFailed;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireReader;
import org.tinamou.nbd.wire.WireWriter;
import org.tinamou.testkit.net.SimStream;
import org.tinamou.testkit.sim.Disturbance;
import org.tinamou.testkit.sim.Simulation;

/** What servers send that no honest server would: the connection ends, and no byte goes astray. */
final class HostileServerTest {
  private static final int MAX_ATTEMPTS = 20;
  private static final int PART_BYTES = 600;
  private static final long OFFSET = 1024;
  private static final int CONTEXT = 5;
  private static final int FLAGS = Nbd.HAS_FLAGS | Nbd.SEND_FLUSH;

  /** What the client is asked to do. */
  private enum Wish {
    LIST,
    READ,
    WRITE,
    STATUS
  }

  // ------------------------------------------------------------------------------- scripts

  private static Script greeted() {
    return new Script().greeting(Nbd.FIXED_NEWSTYLE | Nbd.NO_ZEROES);
  }

  private static Script structured() {
    return greeted().answer(Nbd.OPT_STRUCTURED_REPLY, Nbd.REP_ACK);
  }

  private static Script withContext() {
    return structured()
        .answer(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_META_CONTEXT, CONTEXT, Nbd.BASE_ALLOCATION)
        .answer(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_ACK);
  }

  private static Script open() {
    return withContext()
        .answer(Nbd.OPT_GO, Nbd.REP_INFO, (short) Nbd.INFO_EXPORT, 65_536L, (short) FLAGS)
        .answer(Nbd.OPT_GO, Nbd.REP_ACK);
  }

  private static Script info(Object... payload) {
    return withContext().answer(Nbd.OPT_GO, Nbd.REP_INFO, payload);
  }

  private static Script blocks(int minimum, int preferred, int maximum) {
    return info((short) Nbd.INFO_BLOCK_SIZE, minimum, preferred, maximum);
  }

  private static Script data(long offset, int bytes) {
    return open().chunk(Nbd.CHUNK_DONE, Nbd.CHUNK_OFFSET_DATA, 1L, offset, new byte[bytes]);
  }

  private static Script hole(long offset, int bytes) {
    return open().chunk(Nbd.CHUNK_DONE, Nbd.CHUNK_OFFSET_HOLE, 1L, offset, bytes);
  }

  private static Script status(Object... payload) {
    return open().chunk(Nbd.CHUNK_DONE, Nbd.CHUNK_BLOCK_STATUS, 1L, payload);
  }

  private static Arguments row(String what, Wish wish, Script script, String told) {
    return Arguments.of(what, wish, script, told);
  }

  static List<Arguments> rows() {
    List<Arguments> all = new ArrayList<>(handshakes());
    all.addAll(exports());
    all.addAll(replies());
    all.addAll(statuses());
    return all;
  }

  private static List<Arguments> handshakes() {
    Script endless = structured();
    for (int i = 0; i < 10_001; i++) {
      endless.answer(Nbd.OPT_LIST, Nbd.REP_SERVER, 6, "e%05d".formatted(i));
    }
    return List.of(
        row("magic", Wish.READ, new Script().put(1L), "Bad initial magic"),
        row("second magic", Wish.READ, new Script().put(Nbd.MAGIC, 1L), "Bad server magic"),
        row("reply magic", Wish.READ, greeted().put(1L, 8, 1, 0), "option reply magic"),
        row(
            "answer to another option",
            Wish.READ,
            greeted().answer(Nbd.OPT_LIST, Nbd.REP_ACK),
            "Unexpected option type 3"),
        row(
            "answer of 4 GiB",
            Wish.READ,
            greeted().put(Nbd.OPTION_REPLY_MAGIC, Nbd.OPT_STRUCTURED_REPLY, Nbd.REP_ACK, -1),
            "too long"),
        row(
            "acknowledgment with a payload",
            Wish.READ,
            greeted().answer(Nbd.OPT_STRUCTURED_REPLY, Nbd.REP_ACK, 1),
            "Unexpected reply type"),
        row(
            "another context",
            Wish.READ,
            structured().answer(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_META_CONTEXT, 1, "base:other"),
            "server returned 'base:other'"),
        row(
            "context twice",
            Wish.READ,
            structured()
                .answer(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_META_CONTEXT, 1, Nbd.BASE_ALLOCATION)
                .answer(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_META_CONTEXT, 2, Nbd.BASE_ALLOCATION),
            "server returned"),
        row("endless list", Wish.LIST, endless, "too many exports"),
        row(
            "name longer than its answer",
            Wish.LIST,
            structured().answer(Nbd.OPT_LIST, Nbd.REP_SERVER, 100, "abc"),
            "length of an export's name"),
        row(
            "name of a negative length",
            Wish.LIST,
            structured().answer(Nbd.OPT_LIST, Nbd.REP_SERVER, -1, "abc"),
            "length of an export's name"),
        row(
            "refusal of 100,000 letters",
            Wish.READ,
            withContext().answer(Nbd.OPT_GO, Nbd.REP_ERR_UNKNOWN, "x".repeat(100_000)),
            "Requested export not available"));
  }

  private static List<Arguments> exports() {
    return List.of(
        row(
            "nothing about the export",
            Wish.READ,
            withContext().answer(Nbd.OPT_GO, Nbd.REP_ACK),
            "omitted information"),
        row("information of no length", Wish.READ, info(), "unexpected reply type"),
        row(
            "information that is too short",
            Wish.READ,
            info((short) Nbd.INFO_EXPORT, 1),
            "invalid length"),
        row(
            "size of 2^63",
            Wish.READ,
            info((short) Nbd.INFO_EXPORT, Long.MIN_VALUE, (short) FLAGS)
                .answer(Nbd.OPT_GO, Nbd.REP_ACK),
            "omitted information"),
        row("no smallest block", Wish.READ, blocks(0, 4096, 1 << 20), "minimum block size: 0"),
        row("odd smallest block", Wish.READ, blocks(513, 4096, 1 << 20), "not a power of two"),
        row("odd preferred block", Wish.READ, blocks(512, 4097, 1 << 20), "preferred block"),
        row("preferred below smallest", Wish.READ, blocks(4096, 512, 1 << 20), "preferred block"),
        row("largest below smallest", Wish.READ, blocks(4096, 4096, 512), "maximum block"),
        row(
            "description of 5,000 letters",
            Wish.READ,
            info((short) Nbd.INFO_DESCRIPTION, "x".repeat(5000)),
            "too long"));
  }

  private static List<Arguments> replies() {
    return List.of(
        row("magic of a reply", Wish.READ, open().put(0x12345678), "invalid magic"),
        row("unknown cookie", Wish.READ, open().simple(9, 5), "unexpected handle"),
        row("simple reply to a read", Wish.READ, open().simple(1, 0), "simple reply"),
        row("data before the range", Wish.READ, data(OFFSET - 1, 100), "exceeding"),
        row("data behind the range", Wish.READ, data(OFFSET + 501, 100), "exceeding"),
        row("data at 2^64", Wish.READ, data(-100, 100), "exceeding"),
        row("more data than asked", Wish.READ, data(OFFSET, PART_BYTES + 1), "exceeding"),
        row("less data than asked", Wish.READ, data(OFFSET, PART_BYTES - 1), "all the data"),
        row("data of no length", Wish.READ, data(OFFSET, 0), "NBD_REPLY_TYPE_OFFSET_DATA"),
        row("data of 4 GiB", Wish.READ, longChunk(Nbd.CHUNK_OFFSET_DATA), "chunk of 4294967295"),
        row("error of 4 GiB", Wish.READ, longChunk(Nbd.CHUNK_ERROR), "chunk of 4294967295"),
        row(
            "data twice",
            Wish.READ,
            open()
                .chunk(0, Nbd.CHUNK_OFFSET_DATA, 1L, OFFSET, new byte[400])
                .chunk(Nbd.CHUNK_DONE, Nbd.CHUNK_OFFSET_DATA, 1L, OFFSET + 100, new byte[400]),
            "overlapping"),
        row("hole before the range", Wish.READ, hole(OFFSET - 1, 100), "exceeding"),
        row("hole behind the range", Wish.READ, hole(OFFSET, PART_BYTES + 1), "exceeding"),
        row("hole of no length", Wish.READ, hole(OFFSET, 0), "exceeding"),
        row("hole of 4 GiB", Wish.READ, hole(OFFSET, -1), "exceeding"),
        row(
            "hole that is too long",
            Wish.READ,
            open().chunk(Nbd.CHUNK_DONE, Nbd.CHUNK_OFFSET_HOLE, 1L, OFFSET, 8, 8),
            "NBD_REPLY_TYPE_OFFSET_HOLE"),
        row("nothing, and more", Wish.READ, open().chunk(0, Nbd.CHUNK_NONE, 1L), "FLAG_DONE"),
        row(
            "nothing with a payload",
            Wish.READ,
            open().chunk(Nbd.CHUNK_DONE, Nbd.CHUNK_NONE, 1L, 1),
            "with payload"),
        row("unknown chunk", Wish.READ, open().chunk(1, 77, 1L, 1), "unexpected reply type 77"),
        row("error that is none", Wish.READ, error(0, 3, "abc"), "zero error code"),
        row("error text beyond its chunk", Wish.READ, error(5, 99, "abc"), "too long"),
        row(
            "error text of 5,000 letters",
            Wish.READ,
            error(5, 5000, "x".repeat(5000)),
            "invalid payload for an error chunk"),
        row("data for a write", Wish.WRITE, data(OFFSET, 100), "exceeding"),
        row("status for a read", Wish.READ, status(CONTEXT, 600, 0), "BLOCK_STATUS"),
        row("a second reply", Wish.WRITE, open().simple(1, 0).simple(1, 0), "unexpected handle"),
        row(
            "long header that was not agreed on",
            Wish.READ,
            open().put(Nbd.EXTENDED_REPLY_MAGIC, (short) 1, (short) 0, 1L, OFFSET, 0L),
            "invalid magic"));
  }

  private static Script longChunk(int type) {
    return open().put(Nbd.STRUCTURED_REPLY_MAGIC, (short) 1, (short) type, 1L, -1);
  }

  private static Script error(int errno, int textBytes, String text) {
    return open().chunk(Nbd.CHUNK_DONE, Nbd.CHUNK_ERROR, 1L, errno, (short) textBytes, text);
  }

  private static List<Arguments> statuses() {
    return List.of(
        row("status of another context", Wish.STATUS, status(6, 600, 0), "context id 6"),
        row("status of no length", Wish.STATUS, status(CONTEXT, 0, 0), "zero length"),
        row("status without extents", Wish.STATUS, status(CONTEXT), "BLOCK_STATUS"),
        row("half an extent", Wish.STATUS, status(CONTEXT, 600, 0, 1), "BLOCK_STATUS"),
        row(
            "status twice",
            Wish.STATUS,
            open()
                .chunk(0, Nbd.CHUNK_BLOCK_STATUS, 1L, CONTEXT, 600, 0)
                .chunk(1, Nbd.CHUNK_BLOCK_STATUS, 1L, CONTEXT, 600, 0),
            "context id"),
        row(
            "long extents that were not agreed on",
            Wish.STATUS,
            open().chunk(1, Nbd.CHUNK_BLOCK_STATUS_EXT, 1L, CONTEXT, 1, 600L, 0L),
            "BLOCK_STATUS"),
        row("simple reply to status", Wish.STATUS, open().simple(1, 0), "simple reply"));
  }

  // --------------------------------------------------------------------------------- test

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  @DisplayName("32: the client sees a protocol error, ends the connection and writes nowhere else")
  void isNotBelieved(String what, Wish wish, Script script, String told) {
    for (int attempt = 1; ; attempt++) {
      try {
        String said = simulate(attempt, wish, script);
        assertNotNull(said, "it was believed");
        assertTrue(said.contains(told), () -> what + ": " + said);
        return;
      } catch (Disturbance again) {
        if (attempt == MAX_ATTEMPTS) {
          throw again;
        }
      }
    }
  }

  private static String simulate(int seed, Wish wish, Script script) {
    Simulation simulation = new Simulation(seed, false);
    simulation.calmDown();
    AioContext loop = simulation.newLoop("client");
    String[] said = new String[1];
    loop.spawn(
        "test",
        () -> {
          List<SimStream> ends = simulation.network().pair();
          SimStream server = ends.getLast();
          var client = loop.spawn("client", () -> said[0] = use(ends.getFirst(), wish));
          server.write(Script.memory(script.bytes()));
          client.join();
          // Nothing is left for a server that has been found out.
          server.close();
        });
    assertTrue(simulation.run(2_000_000), "still busy");
    simulation.checkAtRest();
    assertEquals(0, simulation.network().openSockets());
    simulation.closeLoops();
    return said[0];
  }

  private static String use(StreamSocket socket, Wish wish) {
    try {
      if (wish == Wish.LIST) {
        list(socket);
        return null;
      }
      ClientSession session = ClientSession.open(socket, "", List.of(Nbd.BASE_ALLOCATION), false);
      try {
        ask(session, wish);
        session.command(Nbd.CMD_FLUSH, 0, 0, 0);
      } catch (ErrnoException e) {
        return "refused: " + e.getMessage();
      } finally {
        boolean over = session.failure() != null;
        session.abort("over");
        assertTrue(over, "the connection goes on");
      }
      return null;
    } catch (SessionEnded e) {
      return e.reason();
    } catch (HandshakeFailed e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static void list(StreamSocket socket) throws SessionEnded, HandshakeFailed {
    try {
      Arena arena = Arena.ofAuto();
      WireReader in = new WireReader(socket, arena.allocate(65_536, 64));
      WireWriter out = new WireWriter(socket, arena.allocate(65_536, 64));
      new ClientHandshake(in, out).list();
    } finally {
      socket.close();
    }
  }

  /** Makes a request in the middle of memory that nobody may touch. */
  private static void ask(ClientSession session, Wish wish) throws SessionEnded, ErrnoException {
    MemorySegment all = Arena.ofAuto().allocate(3L * PART_BYTES);
    all.fill((byte) 0x5a);
    IoVector part = IoVector.of(all.asSlice(PART_BYTES, PART_BYTES));
    try {
      switch (wish) {
        case READ -> session.read(OFFSET, part);
        case WRITE -> session.write(OFFSET, part, false);
        default -> session.blockStatus(Nbd.BASE_ALLOCATION, OFFSET, PART_BYTES);
      }
    } finally {
      for (int i = 0; i < PART_BYTES; i++) {
        assertEquals(0x5a, all.get(ValueLayout.JAVA_BYTE, i));
        assertEquals(0x5a, all.get(ValueLayout.JAVA_BYTE, 2L * PART_BYTES + i));
      }
    }
  }

  /** What a server may say that is unusual, but no lie. */
  @org.junit.jupiter.api.Test
  void unusualAnswersAreUnderstood() {
    assertNull(
        simulateCalm(
            Wish.READ,
            open()
                .chunk(0, Nbd.CHUNK_OFFSET_HOLE, 1L, OFFSET + 300, 300)
                .chunk(Nbd.CHUNK_DONE, Nbd.CHUNK_OFFSET_DATA, 1L, OFFSET, new byte[300])
                .simple(2, 0)));
    assertNull(simulateCalm(Wish.STATUS, status(CONTEXT, -1, 0, 4096, 1).simple(2, 0)));
  }

  private static String simulateCalm(Wish wish, Script script) {
    for (int attempt = 1; ; attempt++) {
      try {
        return simulateHonest(attempt, wish, script);
      } catch (Disturbance again) {
        if (attempt == MAX_ATTEMPTS) {
          throw again;
        }
      }
    }
  }

  private static String simulateHonest(int seed, Wish wish, Script script) {
    Simulation simulation = new Simulation(seed, false);
    simulation.calmDown();
    AioContext loop = simulation.newLoop("client");
    String[] said = new String[1];
    loop.spawn(
        "test",
        () -> {
          List<SimStream> ends = simulation.network().pair();
          ends.getLast().write(Script.memory(script.bytes()));
          try {
            ClientSession session =
                ClientSession.open(ends.getFirst(), "", List.of(Nbd.BASE_ALLOCATION), false);
            ask(session, wish);
            session.command(Nbd.CMD_FLUSH, 0, 0, 0);
            session.close();
          } catch (SessionEnded | HandshakeFailed | ErrnoException e) {
            said[0] = String.valueOf(e.getMessage());
          }
          ends.getLast().close();
        });
    assertTrue(simulation.run(2_000_000), "still busy");
    simulation.closeLoops();
    return said[0];
  }
}
