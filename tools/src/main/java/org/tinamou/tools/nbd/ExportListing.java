package org.tinamou.tools.nbd;

import org.tinamou.aio.AioContext;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;

/** What {@code --list} prints of another server. */
final class ExportListing {
  private ExportListing() {}

  static int print(AioContext context, Console console, NbdOptions options) throws ToolException {
    throw new ToolException("x" + context + console + options);
  }
}
