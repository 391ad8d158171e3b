package org.tinamou.tools.system;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.daemon.HeldDrives;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.daemon.MonitoredDaemon;
import org.tinamou.daemon.hmp.HumanCommands;
import org.tinamou.drivers.protocol.nbd.NbdDriver;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.Monitors;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.tools.cli.BackgroundWorker;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Interruptions;
import org.tinamou.tools.cli.ProbeWarning;
import org.tinamou.tools.cli.ProgramFailure;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.io.MonitorIo;
import org.tinamou.tools.system.SystemArguments.Given;

/**
 * One run of the machine: opens what the command line names, serves, and closes in order. The main
 * loop's first coroutine.
 */
final class SystemSession {
  private final Console console;
  private final SystemArguments arguments;
  private final AioContext main;
  private final MonitoredDaemon daemon;
  private final HumanTable human = new HumanTable();
  private final Drives drives;
  private final Coroutine self = Coroutine.current();
  private volatile boolean ending;
  private volatile String reason = "host-qmp-quit";
  private @Nullable Coroutine flush;
  private volatile boolean signalled;
  private boolean shutdownTold;

  @InCoroutine
  SystemSession(Console console, SystemArguments arguments, LoopStarter loops, AioContext main) {
    this.console = console;
    this.arguments = arguments;
    this.main = main;
    this.daemon = new MonitoredDaemon(main, loops, console::error);
    daemon.daemon().onOutput(console::outputLine);
    daemon.daemon().graph().tellDamageTo(console::errorLine);
    daemon.daemon().graph().tellErrorsTo(console::error);
    SystemCommands.addTo(daemon.commands(), daemon.daemon(), arguments);
    YankCommands.addTo(daemon);
    HumanCommands.addTo(
        human,
        daemon.commands(),
        daemon.schema(),
        daemon.devices(),
        new MonitorIo(daemon.daemon(), console));
    this.drives = new Drives(daemon.daemon(), name -> ProbeWarning.print(console, name));
    SystemHumanCommands.addTo(human, daemon.daemon(), drives);
    Monitors.addHumanMonitorCommand(daemon.commands(), human);
    daemon.addEvents(List.of("DEVICE_TRAY_MOVED", "POWERDOWN", "RESET", "SHUTDOWN"));
    daemon.daemon().onQuitAsked(this::quitAsked);
    daemon.daemon().onQuit(this::quit);
  }

  /**
   * Does it all; returns the exit code.
   *
   * @throws ToolException about the first thing that cannot be opened; nothing stays open
   */
  @InCoroutine
  int run() throws ToolException {
    PidFile pid = PidFile.create(main, arguments.last("pidfile"));
    try {
      return ProgramFailure.watch(console, this::serve);
    } finally {
      daemon.close();
      pid.remove();
    }
  }

  private int serve() throws ToolException {
    if (arguments.has("S")) {
      daemon.daemon().holdStart();
    }
    MonitorDevices wiring =
        new MonitorDevices(arguments, daemon.devices(), daemon.monitors(), human);
    PassedFiles.take(arguments, daemon.daemon());
    wiring.openDevices();
    openObjects();
    openNodes();
    openDrives();
    wiring.attachMonitors();
    Interruptions.onEndAsked(this::signalled);
    BackgroundWorker.tellReady();
    while (!ending) {
      Coroutine.suspend("end of the machine");
    }
    while (flush != null && !flush.isEnded() && !signalled) {
      Coroutine.suspend("flush of drives");
    }
    tellShutdown();
    return 0;
  }

  // ------------------------------------------------------------------------------------- the end

  /**
   * SHUTDOWN says that what was written is safe where it is kept, so that it may be used from
   * there. For files the host sees to that; a server is asked, and the answer to {@code quit} does
   * not wait for it.
   */
  private void quitAsked() {
    List<BlockBackend> remote = new ArrayList<>();
    for (HeldDrives.Drive drive : daemon.daemon().drives().all()) {
      BlockNode node = drive.backend().node();
      if (node != null && isKeptByServer(node)) {
        remote.add(drive.backend());
      }
    }
    if (remote.isEmpty()) {
      tellShutdown();
    } else if (flush == null) {
      flush = main.spawn("flush of drives", () -> flush(remote));
    }
  }

  private static boolean isKeptByServer(BlockNode node) {
    return node.driverOrNull() instanceof NbdDriver
        || node.children().stream().anyMatch(edge -> isKeptByServer(edge.child()));
  }

  @InCoroutine
  private void flush(List<BlockBackend> drives) {
    for (BlockBackend drive : drives) {
      try {
        drive.flush();
      } catch (BlockException e) {
        console.error(drive.name() + ": " + e.getMessage());
      }
    }
    tellShutdown();
    self.wake();
  }

  private void quit() {
    ending = true;
    self.wake();
  }

  private void signalled() {
    console.error("terminating on signal 15");
    reason = "host-signal";
    signalled = true;
    ending = true;
    self.wake();
  }

  private void tellShutdown() {
    if (!shutdownTold) {
      shutdownTold = true;
      Json.Members data = new Json.Members().put("guest", false).put("reason", reason);
      daemon.monitors().emit("SHUTDOWN", data);
    }
  }

  // --------------------------------------------------------------------------- the command line

  private void openObjects() throws ToolException {
    for (Given given : arguments.of("object")) {
      run(given, "object-add", options(given, "ObjectOptions", "qom-type"));
    }
  }

  private void openNodes() throws ToolException {
    List<Json.Members> all = new ArrayList<>();
    for (Given given : arguments.of("blockdev")) {
      all.add(options(given, "BlockdevOptions", "driver"));
    }
    for (int i = 0; i < all.size(); i++) {
      run(arguments.of("blockdev").get(i), "blockdev-add", all.get(i));
    }
  }

  private Json.Members options(Given given, String type, String impliedKey) throws ToolException {
    try {
      return daemon.schema().options(type, given.text(), impliedKey);
    } catch (OptionException e) {
      throw ToolException.of(given.where(), e);
    }
  }

  private void run(Given given, String command, Json.Members options) throws ToolException {
    try {
      daemon.carryOut(command, options, CommandContext.NONE);
    } catch (CommandException e) {
      throw new ToolException(given.where() + e.getMessage());
    } catch (OptionException e) {
      throw ToolException.of(given.where(), e);
    }
  }

  private void openDrives() throws ToolException {
    for (Given given : arguments.of("drive", "hda", "hdb", "hdc", "hdd", "cdrom")) {
      try {
        DriveOptions options =
            DriveOptions.parse(
                driveText(given),
                arguments.has("snapshot"),
                warning -> console.error(given.where() + "warning: " + warning));
        drives.refuseDuplicate(options);
        drives.open(options);
      } catch (OptionException e) {
        throw ToolException.of(given.where(), e);
      } catch (BlockException e) {
        throw ToolException.of(given.where(), e);
      }
    }
  }

  /** Short forms name a place and nothing else. */
  private static String driveText(Given given) {
    String file = given.text().replace(",", ",,");
    return switch (given.name()) {
      case "drive" -> given.text();
      case "cdrom" -> "media=cdrom,file=" + file;
      default -> "media=disk,file=" + file;
    };
  }
}
