package org.tinamou.drivers.format.qcow2;

/** Numbers as the messages of the reference show them. */
final class Hex {
  private Hex() {}

  /** With "0x" before it, unless it is 0. */
  static String of(long number) {
    return number == 0 ? "0" : "0x" + Long.toHexString(number);
  }
}
