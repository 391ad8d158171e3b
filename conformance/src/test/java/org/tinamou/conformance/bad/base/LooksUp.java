package org.tinamou.conformance.bad.base;

import org.tinamou.conformance.bad.drivers.Driver;

/** The lowest room knows the highest. */
final class LooksUp {
  private LooksUp() {}

  static String name(Driver driver) {
    return driver.toString();
  }
}
