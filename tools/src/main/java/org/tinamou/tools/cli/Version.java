package org.tinamou.tools.cli;

/** What the tools say of themselves. */
public final class Version {
  /** The reference's version that the tools behave like; scripts look for it. */
  public static final String COMPATIBLE = "7.2.22";

  public static final String TINAMOU = "0.1.0";

  private Version() {}

  /** What {@code --version} prints, without the last line end. */
  public static String text(String program) {
    return program
        + " version "
        + COMPATIBLE
        + " (Tinamou "
        + TINAMOU
        + ")\nTinamou is free software under the Apache License 2.0";
  }
}
