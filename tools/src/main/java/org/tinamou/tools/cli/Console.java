package org.tinamou.tools.cli;

import java.io.InputStream;
import java.io.PrintStream;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.open.ImagePolicy;

/**
 * Where a tool reads from and prints to, and what was said of all images it opens. Used by the
 * tool's thread and, while a loop runs, by its coroutines.
 */
public final class Console {
  private final String program;
  private final InputStream in;
  private final PrintStream out;
  private final PrintStream err;
  private final Consumer<String> errors;
  private @Nullable TrustOptions trust;
  private @Nullable ProgressFeed progressFeed;

  public Console(String program, InputStream in, PrintStream out, PrintStream err) {
    this.program = program;
    this.in = in;
    this.out = out;
    this.err = err;
    this.errors = message -> errorLine(program + ": " + message);
  }

  private Console(Console process, Consumer<String> errors) {
    this.program = process.program;
    this.in = process.in;
    this.out = process.out;
    this.err = process.err;
    this.errors = errors;
    this.trust = process.trust;
  }

  /** The same streams, but errors are told to somebody else, and without the tool's name. */
  public Console withErrorsTo(Consumer<String> listener) {
    return new Console(this, listener);
  }

  public String program() {
    return program;
  }

  public InputStream in() {
    return in;
  }

  public PrintStream out() {
    return out;
  }

  public PrintStream err() {
    return err;
  }

  /** What the user said of how far images are to be believed. */
  public TrustOptions trust() {
    TrustOptions known = trust;
    if (known == null) {
      known = new TrustOptions();
      trust = known;
    }
    return known;
  }

  /** Who wants to know how far a command is, or null. */
  @Nullable ProgressFeed progressFeed() {
    return progressFeed;
  }

  /** Takes an option that belongs to no single command; false if it is another one. */
  public boolean takeCommon(int code, @Nullable String value) throws ToolException {
    ProgressFeed feed = ProgressFeed.of(code, value, this);
    if (feed != null) {
      progressFeed = feed;
    }
    return feed != null || trust().take(code, value);
  }

  /** How far images are to be believed, or null if the user has said nothing of it. */
  public @Nullable ImagePolicy imagePolicy() {
    return trust == null ? null : trust.policy();
  }

  public void line(String text) {
    out.print(text);
    out.print('\n');
  }

  /** A line of a program that goes on for long: it is there at once. */
  public void outputLine(String text) {
    line(text);
    out.flush();
  }

  /** An error behind the tool's name. */
  public void error(String message) {
    errors.accept(message);
  }

  /** A warning behind the tool's name. */
  public void warning(@Nullable String message) {
    if (message != null) {
      error("warning: " + message);
    }
  }

  /** A line among the errors, as it is. */
  public void errorLine(String text) {
    // What was printed before belongs before the error where both go to the same terminal.
    err.print(text);
    err.print('\n');
    err.flush();
  }

  /** Prints what ended a command and returns its exit code. */
  public int fail(ToolException failure) {
    failure.messages().forEach(this::error);
    String hint = failure.hintText();
    if (hint != null) {
      err.print(hint);
      err.flush();
    }
    if (failure.consequence() != null) {
      error(failure.consequence());
    }
    return failure.exitCode();
  }
}
