package org.tinamou.monitor;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** The commands that monitors know, by their names. Filled at the start; belongs to one thread. */
public final class CommandTable {
  /** Compares arguments with what the schema says of a command. */
  @FunctionalInterface
  public interface ArgumentCheck {
    /** Accepts everything. */
    ArgumentCheck NONE = (command, arguments) -> arguments;

    /**
     * Checks all arguments of a command.
     *
     * @return what the command gets
     * @throws OptionException with the message for the client
     */
    Json.Members check(String command, Json.Members arguments) throws OptionException;
  }

  /**
   * A command and how it may be carried out.
   *
   * @param outOfBand whether clients may have it carried out before those that wait; it must not
   *     wait for anything that those need
   */
  public record Entry(String name, Command command, boolean outOfBand) {}

  private final ArgumentCheck check;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  public CommandTable(ArgumentCheck check) {
    this.check = check;
  }

  /** Adds a command; its name is new. */
  public CommandTable add(String name, Command command) {
    return add(new Entry(name, command, false));
  }

  /** Adds a command that may be carried out before those that wait. */
  public CommandTable addOutOfBand(String name, Command command) {
    return add(new Entry(name, command, true));
  }

  private CommandTable add(Entry entry) {
    Check.argument(entries.put(entry.name(), entry) == null, "two commands %s", entry.name());
    return this;
  }

  /** The names in the order in which they were added. */
  public List<String> names() {
    return List.copyOf(entries.keySet());
  }

  public @Nullable Entry entryOrNull(String name) {
    return entries.get(name);
  }

  /**
   * Checks the arguments and carries a command out, for a caller of this process. Main loop.
   *
   * @return what the command tells
   */
  @InCoroutine
  public Json run(String name, Json.Members arguments, CommandContext context)
      throws CommandException {
    return run(entry(name), arguments, context);
  }

  Entry entry(String name) throws CommandException {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new CommandException(
          ErrorClass.COMMAND_NOT_FOUND, "The command " + name + " has not been found");
    }
    return entry;
  }

  @InCoroutine
  Json run(Entry entry, Json.Members arguments, CommandContext context) throws CommandException {
    try {
      Json.Members checked = check(entry.name(), arguments);
      return entry.command().run(OptionReader.of(checked, OptionReader.Style.TYPED), context);
    } catch (OptionException e) {
      throw new CommandException(e.getMessage());
    }
  }

  Json.Members check(String name, Json.Members arguments) throws OptionException {
    return check.check(name, arguments);
  }
}
