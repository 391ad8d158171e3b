package org.tinamou.tools.cli;

import java.io.PrintStream;
import org.tinamou.qapi.HumanSize;

/** The percentage that {@code -p} shows, rewritten in place. Coroutines of one loop. */
public final class Progress {
  private final PrintStream out;
  private final boolean enabled;
  private final float step;
  private float current;
  private float printed;

  /**
   * @param step print only when the percentage has grown by more than this
   */
  public Progress(Console console, boolean enabled, float step) {
    this.out = console.out();
    this.enabled = enabled;
    this.step = step;
  }

  /** Sets the percentage. */
  public void set(float percent) {
    current = Math.min(percent, 100);
    if (enabled
        && (current > printed + step || current < printed || current == 0 || current == 100)) {
      printed = current;
      out.print("    (" + HumanSize.fixed(current, 2) + "/100%)\r");
      out.flush();
    }
  }

  /** Raises the percentage. */
  public void add(float percent) {
    set(current + percent);
  }

  /** Leaves the line. */
  public void end() {
    if (enabled) {
      out.print('\n');
      out.flush();
    }
  }
}
