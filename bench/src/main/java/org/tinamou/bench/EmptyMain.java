package org.tinamou.bench;

/** A program that does nothing: what {@link StartupTimes} measures the tools by. */
public final class EmptyMain {
  private EmptyMain() {}

  public static void main(String[] arguments) {}
}
