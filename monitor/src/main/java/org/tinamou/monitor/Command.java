package org.tinamou.monitor;

import org.tinamou.aio.InCoroutine;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** What a command of the monitor does. Its arguments have been checked against the schema. */
@FunctionalInterface
public interface Command {
  /**
   * Carries the command out. Main loop; may wait.
   *
   * @return what is told of it: an empty object if there is nothing to tell
   * @throws CommandException with the class and text that the client is told
   * @throws OptionException the same, of class GenericError
   */
  @InCoroutine
  Json run(OptionReader arguments, CommandContext context) throws CommandException, OptionException;
}
