package org.tinamou.tools.cli;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;
import org.tinamou.base.SystemClocks;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.getopt.LongOption.Argument;

/**
 * {@code --progress=json}: how far a command is, for programs. A line each time, with an object of
 * {@code phase}, {@code percent} and, where they are known, {@code done}, {@code total} and {@code
 * remaining} in bytes, {@code bytes-per-second} and {@code seconds-left}; at the beginning and the
 * end of each phase, in between at most every tenth of a second, and when SIGUSR1 asks for it. Any
 * thread.
 */
public final class ProgressFeed {
  private static final int PROGRESS = 1003;
  private static final long INTERVAL_NANOS = 100_000_000;
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final int ERRORS = 2;

  /** To be added to a tool's own options. */
  public static final List<LongOption> LONG =
      List.of(LongOption.ofOurs("progress", Argument.REQUIRED, PROGRESS));

  private final OutputStream out;
  private final Clocks clocks = new SystemClocks();
  private final ReentrantLock lock = new ReentrantLock();
  private final long startNanos = clocks.nanos(ClockType.REALTIME);
  private String phase = "starting";
  private long toldNanos;
  private long done;
  private long total;
  private float percent;
  private boolean broken;

  private ProgressFeed(OutputStream out) {
    this.out = out;
  }

  /** The feed that an option asks for; null if it is another option. */
  static @Nullable ProgressFeed of(int code, @Nullable String value, Console console)
      throws ToolException {
    if (code != PROGRESS) {
      return null;
    }
    List<String> words = List.of(String.valueOf(value).split(",", -1));
    int fd = ERRORS;
    if (!words.getFirst().equals("json") || words.size() > 2) {
      throw invalid(value);
    }
    if (words.size() == 2) {
      try {
        fd = words.get(1).startsWith("fd=") ? Integer.parseInt(words.get(1).substring(3)) : -1;
      } catch (NumberFormatException e) {
        fd = -1;
      }
    }
    if (fd < 0) {
      throw invalid(value);
    }
    return new ProgressFeed(fd == ERRORS ? console.err() : fd == 1 ? console.out() : inherited(fd));
  }

  private static ToolException invalid(@Nullable String value) {
    return new ToolException("Invalid progress '" + value + "' (expecting json or json,fd=NUMBER)");
  }

  /** A descriptor that whoever started the tool has opened for writing, and not the runtime. */
  private static OutputStream inherited(int fd) throws ToolException {
    String refusal = "Cannot tell progress to file descriptor " + fd + ": ";
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd))) {
        if (line.startsWith("flags:")) {
          long flags = Long.parseLong(line.substring("flags:".length()).strip(), 8);
          if ((flags & 3) == 0) {
            throw new ToolException(refusal + "it is not open for writing");
          }
        }
      }
      return new FileOutputStream("/proc/self/fd/" + fd, true);
    } catch (IOException | NumberFormatException e) {
      throw new ToolException(refusal + "it is not open for writing");
    }
  }

  /** What is being done from now on. */
  void phase(String name) {
    lock.lock();
    try {
      phase = name;
      tell();
    } finally {
      lock.unlock();
    }
  }

  /** What is being done from now on, to so many bytes. */
  void phase(String name, long totalBytes) {
    lock.lock();
    try {
      phase = name;
      total = totalBytes;
      done = 0;
      tell();
    } finally {
      lock.unlock();
    }
  }

  /** How far the command is. */
  void set(float newPercent) {
    lock.lock();
    try {
      percent = newPercent;
      if (total > 0) {
        done = Math.round((double) newPercent / 100 * total);
      }
      tellIfDue();
    } finally {
      lock.unlock();
    }
  }

  /** How far the command is, in bytes. */
  void set(long doneBytes, long totalBytes) {
    lock.lock();
    try {
      done = doneBytes;
      total = totalBytes;
      percent = totalBytes == 0 ? 100 : (float) ((double) doneBytes / totalBytes * 100);
      tellIfDue();
    } finally {
      lock.unlock();
    }
  }

  private void tellIfDue() {
    if (clocks.nanos(ClockType.REALTIME) - toldNanos >= INTERVAL_NANOS) {
      tell();
    }
  }

  /** Tells how far the command is, now. */
  void tellNow() {
    lock.lock();
    try {
      tell();
    } finally {
      lock.unlock();
    }
  }

  private void tell() {
    if (broken) {
      return;
    }
    toldNanos = clocks.nanos(ClockType.REALTIME);
    Json.Members line = new Json.Members().put("phase", phase).put("percent", tenths(percent));
    if (total > 0) {
      long elapsed = Math.max(1, toldNanos - startNanos);
      long rate = (long) ((double) done / elapsed * NANOS_PER_SECOND);
      line.put("done", done).put("total", total).put("remaining", Math.max(0, total - done));
      line.put("bytes-per-second", rate);
      if (rate > 0) {
        line.put("seconds-left", Math.max(0, total - done) / rate);
      }
    }
    try {
      out.write((JsonWriter.compact(line) + "\n").getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException e) {
      broken = true; // nobody listens any more, which is no reason to stop
    }
  }

  private static Json tenths(float value) {
    return new Json.Real(Math.round(value * 10) / 10.0);
  }
}
