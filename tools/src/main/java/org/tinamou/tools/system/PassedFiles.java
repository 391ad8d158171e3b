package org.tinamou.tools.system;

import java.util.Set;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.ErrnoException;
import org.tinamou.daemon.Daemon;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionList;
import org.tinamou.qapi.OptionReader;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.system.SystemArguments.Given;

/** {@code -add-fd}: files that the program was started with go into sets. */
final class PassedFiles {
  private static final Set<String> NAMES = Set.of("fd", "set", "opaque");
  private static final int LAST_STANDARD = 2;

  private PassedFiles() {}

  /** Takes them all over. */
  @InCoroutine
  static void take(SystemArguments arguments, Daemon daemon) throws ToolException {
    for (Given given : arguments.of("add-fd")) {
      try {
        take(given.text(), daemon);
      } catch (OptionException e) {
        throw ToolException.of(given.where(), e);
      }
    }
  }

  @InCoroutine
  private static void take(String text, Daemon daemon) throws OptionException {
    Json.Members written = new Json.Members();
    for (OptionList.Entry entry : OptionList.parse(text)) {
      if (!NAMES.contains(entry.key())) {
        throw new OptionException("Invalid parameter '" + entry.key() + "'");
      }
      String value = entry.value();
      written.put(entry.key(), value == null ? "on" : value);
    }
    OptionReader options = OptionReader.of(written, OptionReader.Style.LOOSE);
    int fd = (int) options.int64("fd", -1);
    if (fd < 0) {
      throw new OptionException("fd option is required and must be non-negative");
    }
    if (fd <= LAST_STANDARD) {
      throw new OptionException("fd cannot be a standard I/O stream");
    }
    AioContext main = daemon.main();
    long set = options.int64("set", -1);
    int copy;
    try {
      copy = main.callBlocking(() -> main.hostFiles().duplicateInherited(fd));
    } catch (ErrnoException e) {
      throw new OptionException("fd is not valid or already in use");
    }
    if (set < 0) {
      daemon.descriptors().closeUnwanted(main.hostFiles(), copy);
      throw new OptionException("set option is required and must be non-negative");
    }
    daemon.descriptors().add(set, copy, options.stringOrNull("opaque"));
  }
}
