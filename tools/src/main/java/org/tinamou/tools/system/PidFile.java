package org.tinamou.tools.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.tools.cli.ToolException;

/** The file that says which process this is, for as long as it runs. */
final class PidFile {
  private final AioContext context;
  private final @Nullable Path path;

  private PidFile(AioContext context, @Nullable Path path) {
    this.context = context;
    this.path = path;
  }

  /** Writes it if the option was given. */
  @InCoroutine
  static PidFile create(AioContext context, SystemArguments.@Nullable Given option)
      throws ToolException {
    if (option == null) {
      return new PidFile(context, null);
    }
    Path path = Path.of(option.text());
    try {
      context.callBlocking(() -> Files.writeString(path, ProcessHandle.current().pid() + "\n"));
    } catch (NoSuchFileException e) {
      throw refused(path, Errno.ENOENT.message());
    } catch (IOException e) {
      throw refused(path, String.valueOf(e.getMessage()));
    }
    return new PidFile(context, path);
  }

  private static ToolException refused(Path path, String why) {
    return new ToolException("cannot create PID file: Could not create '" + path + "': " + why);
  }

  /** Removes it. */
  @InCoroutine
  void remove() {
    Path file = path;
    if (file != null) {
      context.callBlocking(() -> file.toFile().delete());
    }
  }
}
