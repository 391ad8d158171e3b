package org.tinamou.tools.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.OptionException;

/** Ends a command with messages for the user and an exit code. */
public final class ToolException extends Exception {
  private static final long serialVersionUID = 1L;

  /** At the end of a hint: no new line comes behind it. */
  private static final String OPEN_END = "\0";

  private final int exitCode;
  private final transient List<String> messages;
  private final @Nullable String hint;
  private final @Nullable String consequence;

  /**
   * @param messages printed behind the tool's name, one a line
   * @param hint printed as it is, or null
   */
  public ToolException(int exitCode, List<String> messages, @Nullable String hint) {
    this(exitCode, messages, hint, null);
  }

  private ToolException(
      int exitCode, List<String> messages, @Nullable String hint, @Nullable String consequence) {
    super(String.join("; ", messages));
    this.exitCode = exitCode;
    this.messages = List.copyOf(messages);
    this.hint = hint;
    this.consequence = consequence;
  }

  public ToolException(String message) {
    this(1, List.of(message), null);
  }

  /**
   * The same with a hint behind which no new line begins, as the reference prints some.
   *
   * @param openHint printed as it is
   */
  public ToolException withOpenHint(String openHint) {
    return new ToolException(exitCode, messages, openHint + OPEN_END, consequence);
  }

  /** A failed block operation; {@code prefix} comes before its message. */
  public static ToolException of(String prefix, BlockException cause) {
    return new ToolException(1, List.of(prefix + cause.getMessage()), cause.hint());
  }

  /** Wrong options; {@code prefix} comes before the message. */
  public static ToolException of(String prefix, OptionException cause) {
    return new ToolException(1, List.of(prefix + cause.getMessage()), cause.hint());
  }

  /** The same with another exit code. */
  public ToolException withExitCode(int code) {
    return new ToolException(code, messages, hint, consequence);
  }

  /** The same with one more message, printed behind everything else. */
  public ToolException followedBy(String message) {
    return new ToolException(exitCode, messages, hint, message);
  }

  public int exitCode() {
    return exitCode;
  }

  public List<String> messages() {
    return messages;
  }

  /** What is to be printed as it is, with its new line if it has one; or null. */
  public @Nullable String hintText() {
    if (hint == null) {
      return null;
    }
    return hint.endsWith(OPEN_END) ? hint.substring(0, hint.length() - 1) : hint + "\n";
  }

  public @Nullable String consequence() {
    return consequence;
  }
}
