package org.tinamou.conformance.bad.aio;

/** The one allowed opener, which the second one turns into a violation. */
final class FirstDoor {
  private FirstDoor() {}

  static void open() throws ReflectiveOperationException {
    Thread.class.getDeclaredMethod("yield0").setAccessible(true);
  }
}
