package org.tinamou.tools.img;

import org.tinamou.tools.cli.Console;

/** Where the ranges are told that differ, in their order. */
interface DifferenceMap {
  /** Tells nothing. */
  DifferenceMap SILENT = (start, length) -> {};

  /** Two neighbouring ranges are told as one. */
  void range(long startBytes, long lengthBytes);

  /** All have been told. */
  default void end() {}

  /** An array of objects with {@code start} and {@code length}. */
  static DifferenceMap json(Console console) {
    return new DifferenceMap() {
      private boolean any;

      @Override
      public void range(long startBytes, long lengthBytes) {
        console
            .out()
            .print(
                (any ? ",\n" : "[")
                    + "{ \"start\": "
                    + startBytes
                    + ", \"length\": "
                    + lengthBytes
                    + "}");
        any = true;
      }

      @Override
      public void end() {
        console.line(any ? "]" : "[]");
      }
    };
  }

  /** A line a range. */
  static DifferenceMap table(Console console) {
    console.line("Offset          Length");
    return (start, length) ->
        console.line("%-16s%s".formatted(hexadecimal(start), hexadecimal(length)));
  }

  private static String hexadecimal(long value) {
    return value == 0 ? "0" : "0x" + Long.toHexString(value);
  }

  /** One line at the end. */
  static DifferenceMap summary(Console console) {
    return new DifferenceMap() {
      private long ranges;
      private long bytes;

      @Override
      public void range(long startBytes, long lengthBytes) {
        ranges++;
        bytes += lengthBytes;
      }

      @Override
      public void end() {
        console.line(
            ranges == 0
                ? "Images are identical."
                : bytes + " bytes differ, in " + ranges + " ranges.");
      }
    };
  }
}
