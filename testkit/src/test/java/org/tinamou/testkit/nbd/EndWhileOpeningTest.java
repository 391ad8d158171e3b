package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.SocketAddress;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ClockType;
import org.tinamou.base.ErrnoException;
import org.tinamou.daemon.Daemon;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionReader;
import org.tinamou.testkit.sim.Simulation;

/** A node whose server says nothing is not waited for when the program ends while it is opened. */
final class EndWhileOpeningTest {
  private static final SocketAddress ADDRESS = new SocketAddress.Unix("/server");
  private static final long SECOND_NANOS = 1_000_000_000L;

  private enum Server {
    NEVER_GREETS,
    GREETS_AND_FALLS_SILENT,
    /** Nobody is there, but somebody may come in time. */
    IS_NOT_THERE
  }

  private final Simulation simulation = new Simulation(1, false);
  private final AioContext main = simulation.newLoop("main");
  private final Daemon daemon =
      new Daemon(
          main,
          (_, _) -> {
            throw new IllegalStateException("no loops");
          });
  private final List<StreamSocket> accepted = new ArrayList<>();

  @ParameterizedTest
  @EnumSource(Server.class)
  void theOpeningFailsAtOnce(Server server) {
    simulation.calmDown();
    boolean[] done = new boolean[1];
    main.spawn(
        "control",
        () -> {
          control(server);
          done[0] = true;
        });
    assertTrue(simulation.run(1_000_000), "still busy");
    assertTrue(done[0]);
    simulation.checkAtRest();
    assertEquals(0, simulation.network().openSockets());
    simulation.closeLoops();
  }

  private void control(Server server) throws IOException {
    ListenSocket listening = null;
    if (server != Server.IS_NOT_THERE) {
      ListenSocket opened = main.io().sockets().listen(ADDRESS, 16);
      main.spawn("accept", () -> accept(opened, server));
      listening = opened;
    }
    Coroutine adding =
        main.spawn("add", () -> assertThrows(CommandException.class, this::addImageOverServer));
    main.sleep(ClockType.REALTIME, 20 * SECOND_NANOS);
    assertFalse(adding.isEnded(), "nothing keeps it");
    long before = simulation.nowNanos();
    daemon.close();
    adding.join();
    assertTrue(simulation.nowNanos() - before < SECOND_NANOS / 10, "it has gone on waiting");
    assertEquals(List.of(), List.copyOf(daemon.graph().nodes()));
    accepted.forEach(StreamSocket::close);
    if (listening != null) {
      listening.close();
    }
  }

  private void addImageOverServer() throws Exception {
    Json.Members server = new Json.Members().put("type", "unix").put("path", "/server");
    Json.Members file =
        new Json.Members().put("driver", "nbd").put("server", server).put("open-timeout", 100_000);
    Json.Members image =
        new Json.Members().put("driver", "raw").put("node-name", "image").put("file", file);
    Objects.requireNonNull(daemon.commands().get("blockdev-add"))
        .run(OptionReader.of(image, OptionReader.Style.TYPED), CommandContext.NONE);
  }

  private void accept(ListenSocket listening, Server server) {
    try {
      while (true) {
        StreamSocket socket = listening.accept();
        accepted.add(socket);
        if (server == Server.GREETS_AND_FALLS_SILENT) {
          byte[] greeting = "NBDMAGICIHAVEOPT\0\3".getBytes(StandardCharsets.ISO_8859_1);
          socket.write(
              Arena.ofAuto().allocate(greeting.length).copyFrom(MemorySegment.ofArray(greeting)));
        }
      }
    } catch (ErrnoException closed) {
      listening.close();
    }
  }
}
