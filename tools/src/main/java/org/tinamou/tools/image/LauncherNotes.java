package org.tinamou.tools.image;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What the launcher finds out about the host while the virtual machine starts: what Java does not
 * tell of the files on the command line, and the kernel's table of locks, which takes the kernel
 * longer to write down than all else that is done for a look at an image.
 */
final class LauncherNotes {
  /** System property: the file where the notes are to be read, once. */
  private static final String PROPERTY = "tinamou.notes";

  private static final String END = "\n.\n";

  /** Read when it is first asked for. */
  private static final class OfProcess {
    static final LauncherNotes NOTES = of(text());

    private static String text() {
      String path = System.getProperty(PROPERTY);
      return path == null ? "" : read(path);
    }
  }

  private final String files;
  private final @Nullable String locks;

  private LauncherNotes(String files, @Nullable String locks) {
    this.files = files;
    this.locks = locks;
  }

  /** The notes for this process; it waits for them until they are complete. */
  static LauncherNotes ofProcess() {
    return OfProcess.NOTES;
  }

  private static String read(String path) {
    try (FileInputStream notes = new FileInputStream(path)) {
      return new String(notes.readNBytes(Integer.MAX_VALUE), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      // They only save time.
      return "";
    }
  }

  /**
   * Takes notes apart; what is missing from their end is not known.
   *
   * @param text a line for each file, {@code device:inode:blocks of 512 bytes}, an empty line,
   *     {@code /proc/locks} and a line with a dot
   */
  static LauncherNotes of(String text) {
    int middle = text.startsWith("\n") ? 0 : text.indexOf("\n\n") + 1;
    if (middle == 0 && !text.startsWith("\n")) {
      return new LauncherNotes("", null);
    }
    return new LauncherNotes(
        "\n" + text.substring(0, middle),
        text.endsWith(END) ? text.substring(middle + 1, text.length() - END.length() + 1) : null);
  }

  /** The blocks of 512 bytes that a file takes on the host, or -1 if they were not noted. */
  long blocks(long device, long inode) {
    String key = "\n" + device + ":" + inode + ":";
    int at = files.indexOf(key);
    if (at < 0) {
      return -1;
    }
    return Long.parseLong(files.substring(at + key.length(), files.indexOf('\n', at + 1)));
  }

  /** The kernel's table of locks, or null if it was not noted. */
  @Nullable String locks() {
    return locks;
  }
}
