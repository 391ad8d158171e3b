package org.tinamou.conformance.bad.cellar;

/** Lives in a room that the table does not name. */
final class Nowhere {
  private Nowhere() {}
}
