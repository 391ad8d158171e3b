package org.tinamou.aio.poller;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.AnyThread;

/**
 * Which processes hold locks of open file descriptions on a file: what {@code /proc} shows of the
 * descriptors of those processes that the caller may look into. Blocks.
 */
public final class LockHolders {
  private static final int MOST_HOLDERS = 8;
  private static final int MOST_DESCRIPTORS = 200_000;
  private static final int FILE_FIELD = 6;
  private static final String KIND = "OFDLCK";

  private final String inode;
  private final List<String> holders = new ArrayList<>();
  private int looked;

  private LockHolders(long inode) {
    this.inode = ":" + inode;
  }

  /**
   * The holders' numbers and names, {@code 12 (qemu-io)}; empty if nobody is to be seen.
   *
   * @param inode the file's number. Devices go by other numbers in this table on some file systems,
   *     so that a file of the same number elsewhere may be taken for it.
   */
  @AnyThread
  public static List<String> of(long inode) {
    LockHolders search = new LockHolders(inode);
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
      for (Path process : processes) {
        search.lookInto(process);
      }
    } catch (IOException e) {
      return List.copyOf(search.holders);
    }
    return List.copyOf(search.holders);
  }

  private void lookInto(Path process) {
    if (holders.size() == MOST_HOLDERS
        || process.endsWith(Long.toString(ProcessHandle.current().pid()))) {
      return;
    }
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fdinfo"))) {
      for (Path descriptor : descriptors) {
        if (looked++ < MOST_DESCRIPTORS && holdsLock(descriptor)) {
          holders.add(process.getFileName() + " (" + nameOf(process) + ")");
          return;
        }
      }
    } catch (IOException e) {
      looked++; // it has ended, or belongs to somebody else
    }
  }

  private boolean holdsLock(Path descriptor) {
    try {
      return Files.readAllLines(descriptor).stream().anyMatch(this::isOfFile);
    } catch (IOException e) {
      return false;
    }
  }

  /** {@code lock: 1: OFDLCK ADVISORY READ -1 fe:00:2285588 100 101}. */
  private boolean isOfFile(String line) {
    if (!line.startsWith("lock:")) {
      return false;
    }
    String[] words = line.strip().split("\\s+");
    return words.length > FILE_FIELD && words[2].equals(KIND) && words[FILE_FIELD].endsWith(inode);
  }

  private static String nameOf(Path process) {
    try {
      return Files.readString(process.resolve("comm")).strip();
    } catch (IOException e) {
      return "?";
    }
  }
}
