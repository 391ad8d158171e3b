package org.tinamou.tools.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.RemotePatience;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.daemon.MonitoredDaemon;
import org.tinamou.daemon.hmp.HumanCommands;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.MonitorOptions;
import org.tinamou.monitor.Monitors;
import org.tinamou.monitor.chardev.CharDevice;
import org.tinamou.monitor.chardev.CharOptions;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.tools.cli.BackgroundWorker;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Interruptions;
import org.tinamou.tools.cli.ProgramFailure;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.UserObjects;
import org.tinamou.tools.io.MonitorIo;

/** One run of the daemon: carries its options out, then waits until it is told to end. */
final class DaemonRun {
  private final AioContext main;
  private final Console console;
  private final List<DaemonTool.Step> steps;
  private final @Nullable String pidFile;
  private final MonitoredDaemon monitored;
  private final UserObjects objects;
  private @Nullable Coroutine waiting;
  private @Nullable RemotePatience patience;
  private volatile boolean stopping;
  private boolean ended;
  private boolean pidWritten;

  DaemonRun(
      LoopStarter loops,
      AioContext main,
      Console console,
      List<DaemonTool.Step> steps,
      @Nullable String pidFile) {
    this.main = main;
    this.console = console;
    this.steps = steps;
    this.pidFile = pidFile;
    this.monitored = new MonitoredDaemon(main, loops, console::errorLine);
    addHumanMonitorCommand();
    monitored.daemon().graph().tellErrorsTo(console::error);
    monitored.daemon().onOutput(console::outputLine);
    this.objects = new UserObjects(monitored.daemon().objects());
  }

  /** The reference's daemon lacks it, but people want to type {@code qemu-io} and such. */
  private void addHumanMonitorCommand() {
    HumanTable human = new HumanTable();
    HumanCommands.addTo(
        human,
        monitored.commands(),
        monitored.schema(),
        monitored.devices(),
        new MonitorIo(monitored.daemon(), console));
    Monitors.addHumanMonitorCommand(monitored.commands(), human);
  }

  @InCoroutine
  int run() throws ToolException {
    waiting = Coroutine.current();
    try {
      return ProgramFailure.watch(console, this::serve);
    } finally {
      monitored.close();
      ended = true;
      RemotePatience limited = patience;
      if (limited != null) {
        limited.close();
      }
      String file = pidFile;
      if (pidWritten && file != null) {
        main.callBlocking(() -> Path.of(file).toFile().delete());
      }
    }
  }

  private int serve() throws ToolException {
    monitored.daemon().onQuit(this::stop);
    Interruptions.onEndAsked(this::stop);
    // Whoever is connected already is served when all options have been carried out.
    monitored.monitors().holdCommands();
    for (DaemonTool.Step step : steps) {
      try {
        if (!stopping) {
          carryOut(step);
        }
      } catch (ToolException e) {
        if (!stopping) { // else it was given up
          throw e;
        }
      }
    }
    writePid();
    pidWritten = true;
    BackgroundWorker.tellReady();
    monitored.monitors().releaseCommands();
    while (!stopping) {
      Coroutine.suspend("end of the daemon");
    }
    return 0;
  }

  /** Servers are not waited for any more either, in case that an option waits for one. */
  private void stop() {
    stopping = true;
    main.scheduleOnce(
        "end of the daemon",
        () -> {
          if (patience == null && !ended) {
            patience = monitored.daemon().limitPatience();
          }
        });
    Coroutine coroutine = waiting;
    if (coroutine != null) {
      coroutine.wake();
    }
  }

  // ------------------------------------------------------------------------------------- options

  @InCoroutine
  private void carryOut(DaemonTool.Step step) throws ToolException {
    try {
      switch (step.kind()) {
        case BLOCKDEV -> command("blockdev-add", "BlockdevOptions", step.value(), "driver");
        case EXPORT -> command("block-export-add", "BlockExportOptions", step.value(), "type");
        case NBD_SERVER -> command("nbd-server-start", "NbdServerOptions", step.value(), null);
        case OBJECT -> objects.add(console, step.value());
        case CHARDEV -> addDevice(step.value());
        case MONITOR -> addMonitor(step.value());
      }
    } catch (OptionException e) {
      throw told(step, new ToolException(String.valueOf(e.getMessage())), e.hint());
    } catch (CommandException e) {
      throw told(step, new ToolException(String.valueOf(e.getMessage())), null);
    } catch (ToolException e) {
      throw e.exitCode() == 0 ? e : told(step, e, null);
    }
  }

  /** An error with the option that it comes from. */
  private static ToolException told(
      DaemonTool.Step step, ToolException error, @Nullable String hint) {
    String place = "--" + step.kind().option() + " " + step.value() + ": ";
    return new ToolException(
        1, error.messages().stream().map(message -> place + message).toList(), hint);
  }

  /** What a command does, with arguments from a command line. */
  private void command(String name, String type, String text, @Nullable String impliedKey)
      throws OptionException, CommandException {
    Json.Members arguments = monitored.schema().options(type, text, impliedKey);
    monitored.carryOut(name, arguments, CommandContext.NONE);
  }

  private void addDevice(String text) throws OptionException {
    CharOptions options = CharOptions.parse(text);
    if (monitored.devices().deviceOrNull(options.id()) != null) {
      throw new OptionException("Duplicate ID '" + options.id() + "' for chardev");
    }
    monitored.devices().add(options.id(), options.spec());
  }

  private void addMonitor(String text) throws OptionException {
    MonitorOptions options = MonitorOptions.parse(text);
    CharDevice device = monitored.devices().deviceOrNull(options.device());
    if (device == null) {
      throw new OptionException("chardev \"" + options.device() + "\" not found");
    }
    monitored.monitors().attachQmp(device, options.pretty());
  }

  // ------------------------------------------------------------------------------------- process

  private void writePid() throws ToolException {
    String file = pidFile;
    if (file == null) {
      return;
    }
    try {
      main.callBlocking(
          () -> Files.writeString(Path.of(file), ProcessHandle.current().pid() + "\n"));
    } catch (NoSuchFileException e) {
      throw new ToolException(
          "cannot create PID file: Could not create '" + file + "': No such file or directory");
    } catch (IOException e) {
      throw new ToolException("cannot create PID file: Could not create '" + file + "'");
    }
  }
}
