package org.tinamou.daemon.hmp;

import java.util.Arrays;
import java.util.List;
import org.tinamou.aio.InCoroutine;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.CommandTable;
import org.tinamou.monitor.chardev.CharDevices;
import org.tinamou.monitor.hmp.HumanArgument;
import org.tinamou.monitor.hmp.HumanCommand;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.schema.Schema;

/** Adds the commands for people to a table. Main loop. */
public final class HumanCommands {
  /** The commands of qemu-io, which print on the standard output. */
  @FunctionalInterface
  public interface IoTool {
    /**
     * Carries one out.
     *
     * @param name of a device or a node
     * @param onlyDevice whether it is to be taken for that of a device
     * @param out gets what the monitor shows, with line feeds
     * @throws CommandException if there is no such thing
     */
    @InCoroutine
    void run(String name, boolean onlyDevice, String command, StringBuilder out)
        throws CommandException;
  }

  private final HumanTable table;
  private final CommandTable commands;

  HumanCommands(HumanTable table, CommandTable commands) {
    this.table = table;
    this.commands = commands;
  }

  /**
   * Adds all of them.
   *
   * @param commands what they are written in terms of; need not be filled yet
   */
  public static void addTo(
      HumanTable table, CommandTable commands, Schema schema, CharDevices devices, IoTool ioTool) {
    HumanCommands all = new HumanCommands(table, commands);
    new BlockHumanCommands(all).add();
    new DriveHumanCommands(all, ioTool).add();
    new ServerHumanCommands(all, schema, devices).add();
    new InfoHumanCommands(all).add();
  }

  /** Carries out a command for programs. */
  @InCoroutine
  Json run(String name, Json.Members arguments) throws CommandException {
    return run(name, arguments, CommandContext.NONE);
  }

  /** The same, for a command that takes or leaves something where it comes from. */
  @InCoroutine
  Json run(String name, Json.Members arguments, CommandContext source) throws CommandException {
    return commands.run(name, arguments, source);
  }

  boolean has(String name) {
    return commands.entryOrNull(name) != null;
  }

  void add(
      String names,
      String parameters,
      String help,
      HumanCommand.Handler handler,
      HumanArgument... arguments) {
    table.add(new HumanCommand(names, List.of(arguments), parameters, help, handler));
  }

  /** One behind which nothing more is read. */
  void addLast(String names, String help, HumanCommand.Handler handler) {
    table.add(new HumanCommand(names, List.of(), "", help, handler, true));
  }

  void addInfo(
      String name,
      String parameters,
      String help,
      HumanCommand.Handler handler,
      HumanArgument... arguments) {
    table.addInfo(new HumanCommand(name, List.of(arguments), parameters, help, handler));
  }

  /** The lines of a help text as they are printed. */
  static String lines(String... lines) {
    return String.join("\n\t\t\t", Arrays.asList(lines));
  }

  /** Fails as commands for programs do. */
  static CommandException failure(OptionException e) {
    return new CommandException(e.getMessage());
  }
}
