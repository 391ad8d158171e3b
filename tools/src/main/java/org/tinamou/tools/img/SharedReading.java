package org.tinamou.tools.img;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.poller.LockHolders;
import org.tinamou.tools.cli.Console;

/**
 * {@code --shared}: an image is read that others may be writing to. Says who they are and what that
 * means for what was found.
 */
final class SharedReading {
  private final Console console;
  private final @Nullable Path path;
  private final String before;

  private SharedReading(Console console, @Nullable Path path) {
    this.console = console;
    this.path = path;
    this.before = state(path);
  }

  /** Begins to read; the name need not be a file's. */
  static SharedReading begin(Console console, String name) {
    Path path;
    try {
      path = Path.of(name.startsWith("file:") ? name.substring("file:".length()) : name);
    } catch (InvalidPathException e) {
      path = null;
    }
    return new SharedReading(console, path);
  }

  /** What changes whenever the file is written to; empty if there is no file. */
  private static String state(@Nullable Path path) {
    if (path == null) {
      return "";
    }
    try {
      Map<String, Object> now = Files.readAttributes(path, "unix:size,lastModifiedTime,ctime");
      return now.get("size") + " " + now.get("lastModifiedTime") + " " + now.get("ctime");
    } catch (IOException | UnsupportedOperationException e) {
      return "";
    }
  }

  /** Whether the file has been written to since the beginning. */
  boolean isDisturbed() {
    return !before.equals(state(path));
  }

  /** Has read all there is to read. */
  void end() {
    if (path == null || before.isEmpty()) {
      return;
    }
    List<String> users = users(path);
    if (!users.isEmpty()) {
      console.error(
          "note: '"
              + path
              + "' is in use by process "
              + String.join(", ", users)
              + ": this is what had reached the file; what a writer still has in memory is not in"
              + " it");
    }
    if (isDisturbed()) {
      console.error(
          "note: '"
              + path
              + "' was changed while it was read: this may mix what was before with what came"
              + " after");
    }
  }

  private static List<String> users(Path path) {
    try {
      Object inode = Files.getAttribute(path.toRealPath(), "unix:ino", LinkOption.NOFOLLOW_LINKS);
      return inode instanceof Long number ? LockHolders.of(number) : List.of();
    } catch (IOException | UnsupportedOperationException e) {
      return List.of();
    }
  }
}
