package org.tinamou.testkit.sim;

/**
 * The JVM itself got in between, by loading a class that another simulation was loading too: the
 * run says nothing and is repeated.
 */
public final class Disturbance extends RuntimeException {
  private static final long serialVersionUID = 1L;

  Disturbance() {
    super("disturbed by class loading");
  }
}
