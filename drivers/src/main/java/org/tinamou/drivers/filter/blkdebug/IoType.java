package org.tinamou.drivers.filter.blkdebug;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The kinds of requests that a rule can single out. */
enum IoType {
  READ("read"),
  WRITE("write"),
  WRITE_ZEROES("write-zeroes"),
  DISCARD("discard"),
  FLUSH("flush"),
  BLOCK_STATUS("block-status");

  /** What a rule means that does not say. */
  static final Set<IoType> USUAL = EnumSet.complementOf(EnumSet.of(BLOCK_STATUS));

  /** The names users know. */
  static final List<String> NAMES = Stream.of(values()).map(type -> type.text).toList();

  private final String text;

  IoType(String text) {
    this.text = text;
  }

  static IoType of(String text) {
    return values()[NAMES.indexOf(text)];
  }
}
