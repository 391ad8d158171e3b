package org.tinamou.drivers.format.qcow2;

/** Why a cluster is free: what decides whether its space goes back to the host. */
enum Freed {
  /** The guest has discarded it, or wants zeroes there. */
  BY_REQUEST("pass-discard-request"),
  /** A snapshot is gone. */
  WITH_SNAPSHOT("pass-discard-snapshot"),
  /** It has moved, or a table has. */
  OTHERWISE("pass-discard-other");

  private final String option;

  Freed(String option) {
    this.option = option;
  }

  /** The option that says so. */
  String option() {
    return option;
  }
}
