package org.tinamou.daemon;

import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.RemotePatience;
import org.tinamou.daemon.command.Version;
import org.tinamou.monitor.ChardevCommands;
import org.tinamou.monitor.Command;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.CommandTable;
import org.tinamou.monitor.Monitors;
import org.tinamou.monitor.chardev.CharDevices;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.schema.CommandSchema;
import org.tinamou.qapi.schema.Schema;

/** A daemon with the monitors and character devices by which it is told what to do. Main loop. */
public final class MonitoredDaemon {
  /** What introspection tells of, as the reference's does: two of them need a guest's device. */
  private static final Set<String> EVENTS =
      Set.of(
          "BLOCK_EXPORT_DELETED",
          "BLOCK_IMAGE_CORRUPTED",
          "BLOCK_IO_ERROR",
          "BLOCK_JOB_CANCELLED",
          "BLOCK_JOB_COMPLETED",
          "BLOCK_JOB_ERROR",
          "BLOCK_JOB_PENDING",
          "BLOCK_JOB_READY",
          "BLOCK_WRITE_THRESHOLD",
          "JOB_STATUS_CHANGE",
          "QUORUM_FAILURE",
          "QUORUM_REPORT_BAD",
          "RESUME",
          "STOP",
          "VSERPORT_CHANGE");

  private final Set<String> events = new HashSet<>(EVENTS);
  private final Daemon daemon;
  private final Schema schema;
  private final CommandTable table;
  private final CharDevices devices;
  private final Monitors monitors;

  /**
   * A daemon without nodes and monitors.
   *
   * @param notices gets lines for whoever runs the process
   */
  public MonitoredDaemon(AioContext main, LoopStarter loops, Consumer<String> notices) {
    this.schema = Schema.load();
    this.daemon = new Daemon(main, loops);
    this.devices = new CharDevices(main, notices);
    this.table = new CommandTable(this::check);
    for (Map.Entry<String, Command> each : daemon.commands().entrySet()) {
      table.add(each.getKey(), each.getValue());
    }
    ChardevCommands.addTo(table, devices);
    table.add("query-commands", (_, _) -> schema.commandNames(this::offers));
    table.add("query-qmp-schema", (_, _) -> schema.introspect(this::offers));
    this.monitors = new Monitors(main, table, Version.report());
    daemon.events().tellTo(monitors);
    daemon.graph().tellDamageTo(notices);
  }

  @AnyThread
  public Daemon daemon() {
    return daemon;
  }

  @AnyThread
  public Schema schema() {
    return schema;
  }

  @HomeThread
  public CommandTable commands() {
    return table;
  }

  @HomeThread
  public CharDevices devices() {
    return devices;
  }

  @HomeThread
  public Monitors monitors() {
    return monitors;
  }

  /** Has introspection tell of further events, which a program around the daemon emits. */
  @HomeThread
  public void addEvents(Collection<String> names) {
    events.addAll(names);
  }

  private boolean offers(String name) {
    return name.equals("qmp_capabilities")
        || table.entryOrNull(name) != null
        || events.contains(name);
  }

  private Json.Members check(String command, Json.Members arguments) throws OptionException {
    CommandSchema known = schema.command(command);
    return known == null ? arguments : known.check(arguments);
  }

  /** Carries a command out whose arguments are checked already. */
  @InCoroutine
  public Json carryOut(String name, Json.Members arguments, CommandContext context)
      throws CommandException, OptionException {
    Command command = Objects.requireNonNull(daemon.commands().get(name), name);
    return command.run(OptionReader.of(arguments, OptionReader.Style.TYPED), context);
  }

  /** Ends everything in order; monitors hear of it to the last. */
  @InCoroutine
  public void close() {
    try (RemotePatience patience = daemon.limitPatience()) {
      daemon.close();
      monitors.stop();
      devices.closeAll();
      monitors.awaitDetached();
      daemon.nodes().close(); // what the last command has still added
    }
  }
}
