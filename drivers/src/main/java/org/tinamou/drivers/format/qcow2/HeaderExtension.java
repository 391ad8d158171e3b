package org.tinamou.drivers.format.qcow2;

import java.nio.charset.StandardCharsets;

/**
 * A piece of the header that has a type and a length of its own. Those of unknown type are kept as
 * they are.
 *
 * @param type a number of this class or another
 * @param data without padding
 */
record HeaderExtension(int type, byte[] data) {
  static final int END = 0;
  static final int BACKING_FORMAT = 0xE2792ACA;
  static final int FEATURE_NAMES = 0x6803F857;
  static final int BITMAPS = 0x23852875;
  static final int ENCRYPTION = 0x0537BE77;
  static final int DATA_FILE = 0x44415441;

  static final int HEAD_BYTES = 8;
  private static final int ALIGNMENT_BYTES = 8;

  /** One that is just a text. */
  static HeaderExtension text(int type, String text) {
    return new HeaderExtension(type, text.getBytes(StandardCharsets.UTF_8));
  }

  /** The space it takes in the header. */
  int paddedBytes() {
    return HEAD_BYTES + (data.length + ALIGNMENT_BYTES - 1 & -ALIGNMENT_BYTES);
  }
}
