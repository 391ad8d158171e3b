package org.tinamou.monitor.hmp;

import java.util.List;
import org.tinamou.aio.InCoroutine;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.OptionException;

/**
 * A command for people.
 *
 * @param names one or several, with bars between them
 * @param parameters its arguments as help shows them
 * @param help what it does; further lines as they are printed
 * @param last whether nothing is read from whoever has entered it any more
 */
public record HumanCommand(
    String names,
    List<HumanArgument> arguments,
    String parameters,
    String help,
    Handler handler,
    boolean last) {
  /** A command behind which others may follow. */
  public HumanCommand(
      String names,
      List<HumanArgument> arguments,
      String parameters,
      String help,
      Handler handler) {
    this(names, arguments, parameters, help, handler, false);
  }

  /** Carries a command out. */
  @FunctionalInterface
  public interface Handler {
    /**
     * Main loop; may wait.
     *
     * @param out gets what the command prints, with line feeds
     * @throws CommandException printed behind "Error: "
     * @throws OptionException the same
     */
    @InCoroutine
    void run(HumanArguments arguments, StringBuilder out) throws CommandException, OptionException;
  }

  /** The first of its names. */
  public String name() {
    int bar = names.indexOf('|');
    return bar < 0 ? names : names.substring(0, bar);
  }

  boolean isCalled(String name) {
    return List.of(names.split("\\|", -1)).contains(name);
  }

  String helpLine(String prefix) {
    return prefix + names + " " + parameters + " -- " + help + "\n";
  }
}
