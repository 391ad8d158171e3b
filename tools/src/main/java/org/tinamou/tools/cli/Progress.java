package org.tinamou.tools.cli;

import java.io.PrintStream;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.HumanSize;

/**
 * The percentage that {@code -p} shows, rewritten in place; without {@code -p} whoever sends
 * SIGUSR1 to the process is told it. Coroutines of one loop.
 */
public final class Progress {
  private final PrintStream out;
  private final PrintStream err;
  private final boolean enabled;
  private final float step;
  private final @Nullable ProgressFeed feed;
  private volatile float current;
  private float printed;

  /**
   * @param step print only when the percentage has grown by more than this
   */
  public Progress(Console console, boolean enabled, float step) {
    this.out = console.out();
    this.err = console.err();
    this.enabled = enabled;
    this.step = step;
    this.feed = console.progressFeed();
    Interruptions.onProgressAsked(this::tell);
  }

  private void tell() {
    if (feed != null) {
      feed.tellNow();
    } else if (!enabled) {
      err.print(text() + "\n");
      err.flush();
    }
  }

  private String text() {
    return "    (" + HumanSize.fixed(current, 2) + "/100%)";
  }

  /** What is being done from now on, with what was counted so far; for programs only. */
  public void phase(String name) {
    if (feed != null) {
      feed.phase(name);
    }
  }

  /** The same where it is known of how many bytes. */
  public void phase(String name, long totalBytes) {
    if (feed != null) {
      feed.phase(name, totalBytes);
    }
  }

  /** The same where no bytes are counted. */
  public void uncounted(String name) {
    if (feed != null) {
      feed.uncounted(name);
    }
  }

  /** The same where it is known at the end only of how many bytes. */
  public void phaseWithoutEnd(String name) {
    if (feed != null) {
      feed.phaseWithoutEnd(name);
    }
  }

  /** How many bytes are done where it is not known of how many; people are not told. */
  public void reached(long doneBytes) {
    if (feed != null) {
      feed.reached(doneBytes);
    }
  }

  /** Sets the percentage, which programs are told in bytes. */
  public void set(long doneBytes, long totalBytes) {
    if (feed != null) {
      feed.set(doneBytes, totalBytes);
    }
    show((float) ((double) doneBytes / Math.max(totalBytes, 1) * 100));
  }

  /** Sets the percentage. */
  public void set(float percent) {
    if (feed != null) {
      feed.set(Math.min(percent, 100));
    }
    show(percent);
  }

  private void show(float percent) {
    current = Math.min(percent, 100);
    if (enabled
        && (current > printed + step || current < printed || current == 0 || current == 100)) {
      printed = current;
      out.print(text() + "\r");
      out.flush();
    }
  }

  /** Whether people see it. */
  public boolean isShown() {
    return enabled;
  }

  /** How far it is, as it is shown. */
  public float percent() {
    return current;
  }

  /** Raises the percentage. */
  public void add(float percent) {
    set(current + percent);
  }

  /** Leaves the line. */
  public void end() {
    if (feed != null) {
      feed.phase(current >= 100 ? "done" : "ended");
    }
    if (enabled) {
      out.print('\n');
      out.flush();
    }
  }
}
