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
import org.tinamou.qapi.HumanSize;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.getopt.LongOption.Argument;

/**
 * {@code --progress=json}: how far a command is, for programs. A line each time, with an object of
 * {@code phase}; {@code percent} of that phase, to a tenth; and where bytes are counted {@code
 * done}, {@code total}, {@code remaining}, {@code bytes-per-second} since the phase began, and
 * {@code seconds-left}. What nobody knows yet is left out: of a source without a known end there is
 * neither percent nor total. Told at the beginning and the end of each phase, in between at most
 * every tenth of a second, and when SIGUSR1 asks for it. Any thread.
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
  private static final long NOT_COUNTED = -1;

  private final Clocks clocks;
  private final ReentrantLock lock = new ReentrantLock();
  private String phase = "starting";
  private boolean told;
  private long toldNanos;

  /** When bytes began to be counted. */
  private long startNanos;

  private long done = NOT_COUNTED;
  private long total = NOT_COUNTED;
  private float percent;
  private boolean broken;

  ProgressFeed(OutputStream out, Clocks clocks) {
    this.out = out;
    this.clocks = clocks;
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
    OutputStream out = fd == ERRORS ? console.err() : fd == 1 ? console.out() : inherited(fd);
    return new ProgressFeed(out, new SystemClocks());
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

  /** What is being done from now on; what has been counted stays told. */
  void phase(String name) {
    lock.lock();
    try {
      phase = name;
      tell();
    } finally {
      lock.unlock();
    }
  }

  /** What is being done from now on, without counting bytes. */
  void uncounted(String name) {
    begin(name, NOT_COUNTED, NOT_COUNTED);
  }

  /** What is being done from now on, to bytes whose number is not known. */
  void phaseWithoutEnd(String name) {
    begin(name, 0, NOT_COUNTED);
  }

  /** What is being done from now on, to so many bytes. */
  void phase(String name, long totalBytes) {
    begin(name, 0, totalBytes);
  }

  private void begin(String name, long doneBytes, long totalBytes) {
    lock.lock();
    try {
      phase = name;
      done = doneBytes;
      total = totalBytes;
      percent = totalBytes == 0 ? 100 : 0;
      startNanos = clocks.nanos(ClockType.REALTIME);
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
      if (total >= 0) {
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

  /** How many bytes are done where nobody knows of how many. */
  void reached(long doneBytes) {
    lock.lock();
    try {
      done = doneBytes;
      tellIfDue();
    } finally {
      lock.unlock();
    }
  }

  private void tellIfDue() {
    if (!told || clocks.nanos(ClockType.REALTIME) - toldNanos >= INTERVAL_NANOS) {
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
    told = true;
    toldNanos = clocks.nanos(ClockType.REALTIME);
    try {
      out.write((line() + "\n").getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException e) {
      broken = true; // nobody listens any more, which is no reason to stop
    }
  }

  private String line() {
    StringBuilder line = new StringBuilder("{\"phase\": ");
    line.append(JsonWriter.compact(new Json.Text(phase)));
    if (total >= 0 || done < 0) {
      String tenths = HumanSize.fixed(Math.min(percent, 100), 1);
      boolean whole = tenths.endsWith(".0");
      member(line, "percent", whole ? tenths.substring(0, tenths.length() - 2) : tenths);
    }
    if (done >= 0) {
      member(line, "done", done);
      long elapsed = Math.max(1, toldNanos - startNanos);
      long rate = (long) ((double) done / elapsed * NANOS_PER_SECOND);
      if (total < 0) {
        member(line, "bytes-per-second", rate);
      } else {
        long remaining = Math.max(0, total - done);
        member(line, "total", total);
        member(line, "remaining", remaining);
        member(line, "bytes-per-second", rate);
        if (remaining == 0 || rate > 0) {
          member(line, "seconds-left", remaining == 0 ? 0 : Math.ceilDiv(remaining, rate));
        }
      }
    }
    return line.append('}').toString();
  }

  private static void member(StringBuilder line, String name, Object value) {
    line.append(", \"").append(name).append("\": ").append(value);
  }
}
