package org.tinamou.tools.io;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What there is to know about a command before it runs.
 *
 * @param alias a single letter, or an empty text
 * @param mostArguments -1 for any number
 * @param needsImage whether an image must be open
 * @param writes whether that image must be writable
 */
record IoCommand(
    String name,
    String alias,
    int leastArguments,
    int mostArguments,
    boolean needsImage,
    boolean writes,
    String syntax,
    String summary) {

  /** What is there only where the tool itself opens images. */
  static final Set<String> ONLY_WITH_OWN_IMAGE = Set.of("close", "open", "quit");

  private static final Set<String> READING = Set.of("aio_read", "read", "readv");

  /** By name. */
  static final List<IoCommand> ALL =
      List.of(
          session("abort", "", 0, 0, "", "simulate a program crash using abort(3)"),
          session("aio_flush", "", 0, 0, "", "completes all outstanding aio requests"),
          reading(
              "aio_read",
              "",
              "[-Ciqv] [-P pattern] off len [len..]",
              "asynchronously reads a number of bytes"),
          writing(
              "aio_write",
              "",
              "[-Cfiquz] [-P pattern] off len [len..]",
              "asynchronously writes a number of bytes"),
          image("alloc", "a", 1, 2, "offset [count]", "checks if offset is allocated in the file"),
          image(
              "break",
              "",
              2,
              2,
              "event tag",
              "sets a breakpoint on event and tags the stopped request as tag"),
          image("close", "c", 0, 0, "", "close the current open file"),
          new IoCommand(
              "discard",
              "d",
              2,
              -1,
              true,
              true,
              "[-Cq] off len",
              "discards a number of bytes at a specified offset"),
          image("flush", "f", 0, 0, "", "flush all in-core file state to disk"),
          session("help", "?", 0, 1, "[command]", "help for one or all commands"),
          image("info", "i", 0, 0, "", "prints information about the current file"),
          image("length", "l", 0, 0, "", "gets the length of the current file"),
          image("map", "", 0, 0, " ", "prints the allocated areas of a file"),
          session(
              "open",
              "o",
              1,
              -1,
              "[-rsCnkU] [-t cache] [-d discard] [-o options] [path]",
              "open the file specified by path"),
          session("quit", "q", 0, -1, "", "exit the program"),
          reading(
              "read",
              "r",
              "[-abCqv] [-P pattern [-s off] [-l len]] off len",
              "reads a number of bytes at a specified offset"),
          reading(
              "readv",
              "",
              "[-Cqv] [-P pattern] off len [len..]",
              "reads a number of bytes at a specified offset"),
          image("remove_break", "", 1, 1, "tag", "remove a breakpoint by tag"),
          image(
              "reopen",
              "",
              0,
              -1,
              "[(-r|-w)] [-c cache] [-o options]",
              "reopens an image with new options"),
          image("resume", "", 1, 1, "tag", "resumes the request tagged as tag"),
          session("sigraise", "", 1, 1, "signal", "raises a signal"),
          session("sleep", "", 1, 1, "", "waits for the given value in milliseconds"),
          new IoCommand(
              "truncate",
              "t",
              1,
              3,
              true,
              true,
              "[-m prealloc_mode] off",
              "truncates the current file at the given offset"),
          image("wait_break", "", 1, 1, "tag", "waits for the suspension of a request"),
          writing(
              "write",
              "w",
              "[-bcCfnquz] [-P pattern | -s source_file] off len",
              "writes a number of bytes at a specified offset"),
          writing(
              "writev",
              "",
              "[-Cfq] [-P pattern] off len [len..]",
              "writes a number of bytes at a specified offset"));

  private static IoCommand session(
      String name, String alias, int least, int most, String syntax, String summary) {
    return new IoCommand(name, alias, least, most, false, false, syntax, summary);
  }

  private static IoCommand image(
      String name, String alias, int least, int most, String syntax, String summary) {
    return new IoCommand(name, alias, least, most, true, false, syntax, summary);
  }

  private static IoCommand reading(String name, String alias, String syntax, String summary) {
    return new IoCommand(name, alias, 2, -1, true, false, syntax, summary);
  }

  private static IoCommand writing(String name, String alias, String syntax, String summary) {
    return new IoCommand(name, alias, 2, -1, true, true, syntax, summary);
  }

  /** Whether it reads or writes what is in the image. */
  boolean movesData() {
    return writes || READING.contains(name);
  }

  /** The command of a name or alias. */
  static @Nullable IoCommand find(String word) {
    for (IoCommand command : ALL) {
      if (command.name.equals(word) || (!word.isEmpty() && command.alias.equals(word))) {
        return command;
      }
    }
    return null;
  }

  /** One line on how to use it, under the name it was called by. */
  String usage(String calledAs) {
    String arguments = syntax.isEmpty() ? "" : " " + syntax.strip();
    return calledAs + arguments + " -- " + summary;
  }

  /** What is wrong with the number of arguments, or null. */
  @Nullable String wrongCount(String calledAs, int count) {
    if (count >= leastArguments && (mostArguments < 0 || count <= mostArguments)) {
      return null;
    }
    String expected;
    if (mostArguments < 0) {
      expected = "at least " + leastArguments;
    } else if (leastArguments == mostArguments) {
      expected = String.valueOf(leastArguments);
    } else {
      expected = "between " + leastArguments + " and " + mostArguments;
    }
    return "bad argument count "
        + count
        + " to "
        + calledAs
        + ", expected "
        + expected
        + " arguments";
  }
}
