package org.tinamou.tools.img;

import org.tinamou.tools.cli.ToolMain;

/** The image tool as a program. */
public final class ImgMain {
  private ImgMain() {}

  /** Runs the tool and ends the process with its exit code. */
  public static void main(String[] arguments) {
    ToolMain.run(new ImgTool(), "tinamou-img", arguments);
  }
}
