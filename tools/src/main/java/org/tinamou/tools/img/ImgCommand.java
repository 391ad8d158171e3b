package org.tinamou.tools.img;

import java.util.List;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;

/** A command of the image tool. */
@FunctionalInterface
interface ImgCommand {
  /**
   * Runs the command.
   *
   * @param arguments the words behind the command's name
   * @return the exit code
   */
  int run(Console console, List<String> arguments) throws ToolException;
}
