package org.tinamou.tools.cli;

/** What users are told who write to an image without saying that it is raw. */
public final class ProbeWarning {
  private ProbeWarning() {}

  /**
   * @param name the image's name
   */
  public static void print(Console console, String name) {
    console.errorLine(
        "WARNING: Image format was not specified for '" + name + "' and probing guessed raw.");
    console.errorLine(
        "         Automatically detecting the format is dangerous for raw images, write"
            + " operations on block 0 will be restricted.");
    console.errorLine("         Specify the 'raw' format explicitly to remove the restrictions.");
  }
}
