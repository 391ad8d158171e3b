package org.tinamou.monitor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.monitor.chardev.CharDevice;
import org.tinamou.monitor.chardev.CharDevices;
import org.tinamou.monitor.chardev.CharOptions;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.schema.CommandSchema;
import org.tinamou.qapi.schema.Schema;

/** Monitors on a loop of this host, with the commands for character devices. */
public final class RealMonitor implements AutoCloseable {
  private static final Schema SCHEMA = Schema.load();

  final Monitors monitors;
  public final CharDevices devices;
  public final List<String> notices = Collections.synchronizedList(new ArrayList<>());
  private final LoopHost host;
  private final IoThread thread;

  public RealMonitor(PollerKind kind) {
    host = new LoopHost(kind);
    thread = host.startIoThread("main", BusyPolling.OFF);
    devices = new CharDevices(thread.context(), notices::add);
    CommandTable table =
        new CommandTable(
            (name, arguments) -> {
              CommandSchema command = SCHEMA.command(name);
              return command == null ? arguments : command.check(arguments);
            });
    Json version =
        new Json.Members()
            .put("qemu", new Json.Members().put("major", 7).put("minor", 2).put("micro", 22))
            .put("package", "Debian 1:7.2+dfsg-7+deb12u18+b3");
    table.add("query-version", (arguments, from) -> version);
    table.add("take-descriptor", (arguments, from) -> new Json.Whole(from.takeDescriptor()));
    ChardevCommands.addTo(table, devices);
    monitors = new Monitors(thread.context(), table, version);
  }

  /** Runs something on the loop. */
  public <T> T call(Callable<T> body) throws Exception {
    return thread.context().submit("test", body).get(30, TimeUnit.SECONDS);
  }

  /** Opens a character device and a monitor on it. */
  public void serve(String chardev, boolean pretty) throws Exception {
    serve(CharOptions.parse(chardev), pretty);
  }

  /** The same of options that were read before. */
  public void serve(CharOptions options, boolean pretty) throws Exception {
    call(
        () -> {
          CharDevice device = devices.add(options.id(), options.spec());
          monitors.attachQmp(device, pretty);
          return true;
        });
  }

  /** Opens a character device and a monitor for people on it. */
  void serveHuman(String chardev, HumanTable table) throws Exception {
    call(
        () -> {
          CharOptions options = CharOptions.parse(chardev);
          CharDevice device = devices.add(options.id(), options.spec());
          monitors.attachHuman(device, table);
          return true;
        });
  }

  /** Waits until no more than so many sessions are open. */
  public void awaitSessions(int most) throws Exception {
    call(
        () -> {
          while (monitors.sessionCount() > most) {
            Coroutine.yieldNow();
          }
          return true;
        });
  }

  @Override
  public void close() throws Exception {
    call(
        () -> {
          devices.closeAll();
          monitors.stop();
          return true;
        });
    thread.close();
    host.close();
  }
}
