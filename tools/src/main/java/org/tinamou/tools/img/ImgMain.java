package org.tinamou.tools.img;

import org.tinamou.tools.cli.ToolMain;

/** The image tool as a program. */
public final class ImgMain {
  private ImgMain() {}

  /** Runs the tool and ends the process with its exit code. */
  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  /** Runs the tool on the process's streams and returns its exit code. */
  public static int run(String[] arguments) {
    return ToolMain.run(new ImgTool(), "tinamou-img", arguments);
  }
}
