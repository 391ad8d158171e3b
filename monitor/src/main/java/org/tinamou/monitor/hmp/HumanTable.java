package org.tinamou.monitor.hmp;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.OptionException;

/**
 * The commands for people, of which {@code help} and {@code info} are always there. Filled at the
 * start; belongs to the main loop.
 */
public final class HumanTable {
  private final Map<String, HumanCommand> commands = new TreeMap<>();
  private final Map<String, HumanCommand> infos = new TreeMap<>();

  public HumanTable() {
    add(
        new HumanCommand(
            "help|?",
            List.of(HumanArgument.optional("name", HumanArgument.Kind.REST)),
            "[cmd]",
            "show the help",
            (arguments, out) -> help(arguments.textOrNull("name"), out)));
    add(
        new HumanCommand(
            "info",
            List.of(HumanArgument.optional("item", HumanArgument.Kind.STRING)),
            "[subcommand]",
            "show various information about the system state",
            (arguments, out) ->
                infos.values().forEach(each -> out.append(each.helpLine("info ")))));
  }

  /** Adds a command; its names are new. */
  public HumanTable add(HumanCommand command) {
    return put(commands, command);
  }

  /** Adds something that {@code info} shows. */
  public HumanTable addInfo(HumanCommand command) {
    return put(infos, command);
  }

  private HumanTable put(Map<String, HumanCommand> into, HumanCommand command) {
    Check.argument(into.put(command.name(), command) == null, "two commands %s", command.name());
    return this;
  }

  /** The names that complete a beginning of a line, in order. */
  List<String> completions(String beginning) {
    boolean info = beginning.startsWith("info ");
    String start = info ? beginning.substring(5).stripLeading() : beginning;
    if (start.indexOf(' ') >= 0) {
      return List.of();
    }
    return (info ? infos : commands)
        .values().stream()
            .flatMap(each -> List.of(each.names().split("\\|", -1)).stream())
            .filter(name -> name.startsWith(start))
            .sorted(Comparator.naturalOrder())
            .toList();
  }

  private static @Nullable HumanCommand find(Map<String, HumanCommand> among, String name) {
    for (HumanCommand each : among.values()) {
      if (each.isCalled(name)) {
        return each;
      }
    }
    return null;
  }

  /**
   * What came of a line.
   *
   * @param text what is printed, with line feeds
   * @param last whether nothing is read from whoever has entered it any more
   */
  public record Outcome(String text, boolean last) {}

  /** Carries out a line that no person has entered. Main loop; may wait. */
  @InCoroutine
  public Outcome run(String line) {
    return run(line, CommandContext.NONE);
  }

  /** Carries a line out. Main loop; may wait. */
  @InCoroutine
  public Outcome run(String line, CommandContext source) {
    LineReader reader = new LineReader(line);
    String name = reader.commandName();
    if (name.isEmpty()) {
      return new Outcome("", false);
    }
    HumanCommand command = find(commands, name);
    if (command != null && command.name().equals("info")) {
      String item = reader.commandName();
      if (!item.isEmpty()) {
        command = find(infos, item);
      }
    }
    String path = reader.begun();
    if (command == null) {
      return new Outcome("unknown command: '" + path + "'\n", false);
    }
    StringBuilder out = new StringBuilder();
    boolean done = false;
    try {
      command.handler().run(reader.arguments(command, source), out);
      done = true;
    } catch (BadLine e) {
      out.append(e.getMessage()).append('\n');
      out.append("Try \"help ").append(path).append("\" for more information\n");
    } catch (CommandException | OptionException e) {
      out.append("Error: ").append(e.getMessage()).append('\n');
    }
    return new Outcome(out.toString(), done && command.last());
  }

  private void help(@Nullable String about, StringBuilder out) {
    List<String> words = about == null ? List.of() : new LineReader(about).words();
    if (words.isEmpty()) {
      commands.values().forEach(each -> out.append(each.helpLine("")));
      return;
    }
    HumanCommand command = find(commands, words.getFirst());
    if (command == null) {
      out.append("unknown command: '").append(words.getFirst()).append("'\n");
    } else if (!command.name().equals("info")) {
      out.append(command.helpLine(""));
    } else if (words.size() == 1) {
      infos.values().forEach(each -> out.append(each.helpLine("info ")));
    } else {
      HumanCommand info = find(infos, words.get(1));
      out.append(
          info == null ? "unknown command: 'info " + words.get(1) + "'\n" : info.helpLine("info "));
    }
  }
}
