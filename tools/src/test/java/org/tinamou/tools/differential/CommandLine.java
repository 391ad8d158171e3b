package org.tinamou.tools.differential;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One line of a script: {@code img} or {@code io} and arguments, in single quotes where they
 * contain blanks; {@code @} stands for the directory. What follows {@code <<<} is standard input,
 * with {@code \n} for line ends.
 */
record CommandLine(String text, String program, List<String> arguments, String input) {
  static CommandLine parse(String text, Path directory) {
    String command = text;
    String input = "";
    int split = text.indexOf("<<<");
    if (split >= 0) {
      command = text.substring(0, split);
      input = text.substring(split + 3).strip().replace("\\n", "\n").replace("\\t", "\t");
    }
    List<String> words = words(command);
    String program =
        switch (words.getFirst()) {
          case "img" -> "qemu-img";
          case "io" -> "qemu-io";
          default -> throw new IllegalArgumentException(text);
        };
    String prefix = directory + "/";
    List<String> arguments = words.stream().skip(1).map(word -> word.replace("@", prefix)).toList();
    return new CommandLine(text, program, arguments, input.replace("@", prefix));
  }

  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean quoted = false;
    boolean started = false;
    for (char character : text.toCharArray()) {
      if (character == '\'') {
        quoted = !quoted;
        started = true;
      } else if (character == ' ' && !quoted) {
        if (started) {
          words.add(word.toString());
        }
        word.setLength(0);
        started = false;
      } else {
        word.append(character);
        started = true;
      }
    }
    if (started) {
      words.add(word.toString());
    }
    return words;
  }
}
