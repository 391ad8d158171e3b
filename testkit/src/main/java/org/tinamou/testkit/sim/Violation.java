package org.tinamou.testkit.sim;

/** An invariant that does not hold; its id is that of the catalogue, e.g. "I2". */
public final class Violation extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String invariant;

  public Violation(String invariant, String message) {
    super(invariant + ": " + message);
    this.invariant = invariant;
  }

  public Violation(String invariant, String message, Throwable cause) {
    super(invariant + ": " + message, cause);
    this.invariant = invariant;
  }

  public String invariant() {
    return invariant;
  }
}
