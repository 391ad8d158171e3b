/** The command-line tools: arguments in, library calls, and the text that scripts expect out. */
@org.jspecify.annotations.NullMarked
module org.tinamou.tools {
  requires static org.jspecify;

  exports org.tinamou.tools.getopt;
}
