package org.tinamou.daemon.command;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.block.BlockException;
import org.tinamou.daemon.Daemon;
import org.tinamou.monitor.Command;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** All commands of a daemon by their names. */
public final class CommandList {
  /** A command that has nothing to tell. */
  @FunctionalInterface
  interface Action {
    @InCoroutine
    void run(OptionReader arguments) throws CommandException, OptionException, BlockException;
  }

  /** A command that answers. */
  @FunctionalInterface
  interface Query {
    @InCoroutine
    Json run(OptionReader arguments) throws CommandException, OptionException, BlockException;
  }

  private final Map<String, Command> commands = new LinkedHashMap<>();

  /** The commands of a daemon. */
  public static Map<String, Command> of(Daemon daemon) {
    CommandList list = new CommandList();
    new NodeCommands(daemon).register(list);
    BitmapCommands bitmaps = new BitmapCommands(daemon);
    bitmaps.register(list);
    SnapshotCommands snapshots = new SnapshotCommands(daemon);
    snapshots.register(list);
    BackupCommands backups = new BackupCommands(daemon);
    backups.register(list);
    new MirrorCommands(daemon).register(list);
    new ChainCommands(daemon).register(list);
    new TransactionCommand(daemon, bitmaps, snapshots, backups).register(list);
    new CreationCommands(daemon).register(list);
    new NodeQueries(daemon).register(list);
    new ObjectCommands(daemon).register(list);
    new ExportCommands(daemon).register(list);
    new JobCommands(daemon).register(list);
    new DriveCommands(daemon).register(list);
    new DescriptorCommands(daemon).register(list);
    new RunCommands(daemon).register(list);
    return Collections.unmodifiableMap(list.commands);
  }

  void action(String name, Action action) {
    query(
        name,
        arguments -> {
          action.run(arguments);
          return new Json.Members();
        });
  }

  void query(String name, Query query) {
    Check.argument(!commands.containsKey(name), "two commands %s", name);
    commands.put(name, (arguments, _) -> run(query, arguments));
  }

  /** An action for which it matters where it comes from. */
  @FunctionalInterface
  interface FromSomewhere {
    @InCoroutine
    void run(OptionReader arguments, CommandContext from)
        throws CommandException, OptionException, BlockException;
  }

  void act(String name, FromSomewhere action) {
    add(
        name,
        (arguments, from) ->
            run(
                each -> {
                  action.run(each, from);
                  return new Json.Members();
                },
                arguments));
  }

  /** A command that takes descriptors which come with it. */
  void add(String name, Command command) {
    Check.argument(!commands.containsKey(name), "two commands %s", name);
    commands.put(name, command);
  }

  private static Json run(Query query, OptionReader arguments)
      throws CommandException, OptionException {
    try {
      return query.run(arguments);
    } catch (BlockException e) {
      throw new CommandException(e.errorClass(), String.valueOf(e.getMessage()));
    }
  }

  /** The tree that a reader reads, with the types it was written with. */
  static Json.Members tree(OptionReader options) throws OptionException {
    return org.tinamou.qapi.OptionTree.nest(options.flat());
  }

  /** The value of an argument of any type, or null. */
  static @Nullable Json value(OptionReader arguments, String name) throws OptionException {
    return tree(arguments).members().get(name);
  }
}
