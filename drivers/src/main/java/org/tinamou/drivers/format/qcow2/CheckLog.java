package org.tinamou.drivers.format.qcow2;

import java.util.function.Consumer;
import java.util.function.Supplier;

/** Counts what a check finds and tells of it, up to {@value #MAX_LINES} lines. */
final class CheckLog {
  private static final int MAX_LINES = 10_000;

  private final Consumer<String> lines;
  private long corruptions;
  private long leaks;
  private long checkErrors;
  private long corruptionsFixed;
  private long leaksFixed;
  private int told;

  CheckLog(Consumer<String> lines) {
    this.lines = lines;
  }

  void line(String text) {
    line(() -> text);
  }

  private void line(Supplier<String> text) {
    if (told > MAX_LINES) {
      return;
    }
    lines.accept(
        told < MAX_LINES ? text.get() : "Too many findings: the rest is counted, but not told");
    told++;
  }

  /** Something found so many times that endangers data. */
  void corruption(Supplier<String> text, long times) {
    line(text);
    corruptions += times;
  }

  void leak(Supplier<String> text) {
    line(text);
    leaks++;
  }

  void checkError(Supplier<String> text) {
    line(text);
    checkErrors++;
  }

  /** What was last told has been repaired. */
  void corruptionFixed() {
    corruptionsFixed++;
  }

  void corruptionFixed(Supplier<String> text) {
    line(text);
    corruptionsFixed++;
  }

  void leakFixed(Supplier<String> text) {
    line(text);
    leaksFixed++;
  }

  /** Everything found so far has been repaired. */
  void allFixed() {
    corruptionsFixed = corruptions;
    leaksFixed = leaks;
    checkErrors = 0;
  }

  long corruptions() {
    return corruptions;
  }

  long leaks() {
    return leaks;
  }

  long checkErrors() {
    return checkErrors;
  }

  long corruptionsFixed() {
    return corruptionsFixed;
  }

  long leaksFixed() {
    return leaksFixed;
  }
}
