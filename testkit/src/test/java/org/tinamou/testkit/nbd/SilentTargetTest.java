package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.SocketAddress;
import org.tinamou.base.ClockType;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.base.Parsed;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.Permission;
import org.tinamou.daemon.Daemon;
import org.tinamou.jobs.Job;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.nbd.server.NbdExport;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.testkit.net.MemoryExport;
import org.tinamou.testkit.sim.Simulation;

/** A job that writes to a server which does not answer ends when it is told to with force. */
final class SilentTargetTest {
  private static final SocketAddress ADDRESS = new SocketAddress.Unix("/target");
  private static final int SIZE_BYTES = 4 << 20;
  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final long BRIEF_NANOS = SECOND_NANOS / 10;
  private static final long LONG_NANOS = 30 * SECOND_NANOS;

  private enum Work {
    MIRROR,
    BACKUP
  }

  private enum Server {
    /** Takes requests and answers none. */
    SILENT,
    /** Answers one after the other, with more than a second before each. */
    SLOW,
    /** Has gone, and is waited for. */
    GONE
  }

  private enum End {
    CANCELLED,
    PROGRAM_ENDS
  }

  private final Simulation simulation = new Simulation(1, false);
  private final AioContext main = simulation.newLoop("main");
  private final Daemon daemon =
      new Daemon(
          main,
          (_, _) -> {
            throw new IllegalStateException("no loops");
          });
  private volatile @Nullable Server trouble;
  private long freeNanos;
  private int connections;

  static Stream<Arguments> cases() {
    List<Arguments> all = new ArrayList<>();
    for (Work work : Work.values()) {
      for (Server server : Server.values()) {
        for (End end : End.values()) {
          all.add(Arguments.of(work, server, end));
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void endsInBoundedTime(Work work, Server server, End end) {
    simulation.calmDown();
    boolean[] done = new boolean[1];
    main.spawn(
        "control",
        () -> {
          control(work, server, end);
          done[0] = true;
        });
    assertTrue(simulation.run(10_000_000), "still busy");
    assertTrue(done[0]);
    simulation.checkAtRest();
    assertEquals(0, simulation.network().openSockets());
    simulation.closeLoops();
  }

  private void control(Work work, Server server, End end) throws BlockException, IOException {
    NbdServer target = new NbdServer(main, ServerOptions.DEFAULT, NbdServer.Listener.NONE);
    target.add(export());
    ListenSocket listening = listen(target);
    command("blockdev-add", "{'driver': 'null-co', 'node-name': 'disk', 'size': %d}", SIZE_BYTES);
    command(
        "blockdev-add",
        "{'driver': 'nbd', 'node-name': 'target', 'reconnect-delay': 100000, "
            + "'server': {'type': 'unix', 'path': '/target'}}");
    BlockBackend user = backend("disk");
    trouble = server;
    if (server == Server.GONE) {
      listening.close();
      target.stop();
    }
    command(
        "blockdev-" + work.name().toLowerCase(Locale.ROOT),
        "{'job-id': 'job', 'device': 'disk', 'target': 'target', 'sync': 'full'}");
    Job job = daemon.jobs().get("job");
    Coroutine guest = main.spawn("guest", () -> write(user));
    main.sleep(ClockType.REALTIME, SECOND_NANOS);
    long before = simulation.nowNanos();
    if (end == End.CANCELLED) {
      command("block-job-cancel", "{'device': 'job', 'force': true}");
      job.await();
    } else {
      daemon.close();
    }
    guest.join();
    long took = simulation.nowNanos() - before;
    checkTime(server, took);
    assertTrue(job.isCancelled());
    trouble = null;
    if (end == End.CANCELLED) {
      if (server == Server.GONE) {
        NbdServer again = new NbdServer(main, ServerOptions.DEFAULT, NbdServer.Listener.NONE);
        again.add(export());
        target = again;
        listening = listen(again);
      }
      read();
      assertEquals(server == Server.SLOW ? 1 : 2, connections);
      daemon.close();
    }
    listening.close();
    target.stop();
  }

  private static void checkTime(Server server, long tookNanos) {
    long least =
        switch (server) {
          case SILENT -> 2 * SECOND_NANOS - BRIEF_NANOS;
          case SLOW -> 3 * SECOND_NANOS;
          case GONE -> 0;
        };
    long most =
        switch (server) {
          case SILENT -> 3 * SECOND_NANOS;
          case SLOW -> LONG_NANOS;
          case GONE -> BRIEF_NANOS;
        };
    assertTrue(tookNanos >= least && tookNanos <= most, tookNanos + " ns");
  }

  /** What a backup copies before; a guest's write does not fail because that ends. */
  private static void write(BlockBackend guest) throws BlockException {
    guest.write(SIZE_BYTES - 512, IoVector.of(Arena.ofAuto().allocate(512)), 0);
    guest.close();
  }

  private void read() throws BlockException {
    BlockBackend user = backend("target");
    user.read(0, IoVector.of(Arena.ofAuto().allocate(512)), 0);
    user.close();
  }

  private BlockBackend backend(String node) throws BlockException {
    BlockBackend backend =
        new BlockBackend(daemon.graph(), "", main, Permission.ALL, Permission.ALL);
    backend.insert(Objects.requireNonNull(daemon.graph().node(node)));
    return backend;
  }

  private void command(String name, String format, Object... values) {
    String arguments = format.formatted(values);
    if (!(JsonParser.parse(arguments) instanceof Parsed.Value<Json>(Json.Members members))) {
      throw new IllegalArgumentException(arguments);
    }
    try {
      Objects.requireNonNull(daemon.commands().get(name), name)
          .run(OptionReader.of(members, OptionReader.Style.TYPED), CommandContext.NONE);
    } catch (CommandException | OptionException refused) {
      throw new AssertionError(name + " " + arguments, refused);
    }
  }

  // ---------------------------------------------------------------------------------- the server

  private ListenSocket listen(NbdServer server) throws IOException {
    ListenSocket listening = main.io().sockets().listen(ADDRESS, 16);
    main.spawn(
        "accept",
        () -> {
          try {
            while (true) {
              server.serve(listening.accept());
              connections++;
            }
          } catch (ErrnoException closed) {
            listening.close();
          }
        });
    return listening;
  }

  /** An export that is in trouble at times. */
  private NbdExport export() {
    MemoryExport memory = new MemoryExport(simulation.random().fork(), SIZE_BYTES, false);
    List<String> requests = List.of("read", "write", "writeZeroes", "flush", "trim", "extents");
    return (NbdExport)
        Proxy.newProxyInstance(
            NbdExport.class.getClassLoader(),
            new Class<?>[] {NbdExport.class},
            (self, method, arguments) -> {
              if (requests.contains(method.getName())) {
                suffer();
              }
              try {
                return method.invoke(memory, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private void suffer() {
    if (trouble == Server.SLOW) {
      long now = simulation.nowNanos();
      freeNanos = Math.max(now, freeNanos) + SECOND_NANOS * 3 / 2;
      main.sleep(ClockType.REALTIME, freeNanos - now);
    }
    while (trouble == Server.SILENT) {
      main.sleep(ClockType.REALTIME, BRIEF_NANOS);
    }
  }
}
