package org.tinamou.tools.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import org.tinamou.qapi.HumanSize;
import org.tinamou.tools.cli.Console;

/** What the commands print about what they did. */
final class IoReport {
  private static final int DUMP_BYTES = 16;
  private static final HexFormat HEX = HexFormat.of();

  private IoReport() {}

  /**
   * Tells what was transferred and how fast.
   *
   * @param machine in one line of numbers
   */
  static void print(
      Console console,
      String verb,
      long nanos,
      long offset,
      long count,
      long total,
      boolean machine) {
    double seconds = Math.max(nanos, 1) / 1e9;
    double bytesPerSecond = total / seconds;
    double operationsPerSecond = 1 / seconds;
    if (machine) {
      console.line(
          total
              + ",1,"
              + time(nanos, true)
              + ","
              + HumanSize.fixed(bytesPerSecond, 3)
              + ","
              + HumanSize.fixed(operationsPerSecond, 3));
      return;
    }
    console.line(verb + " " + total + "/" + count + " bytes at offset " + offset);
    console.line(
        HumanSize.decimals(total)
            + ", 1 ops; "
            + time(nanos, false)
            + " ("
            + HumanSize.decimals(bytesPerSecond)
            + "/sec and "
            + HumanSize.fixed(operationsPerSecond, 4)
            + " ops/sec)");
  }

  private static String time(long nanos, boolean fixed) {
    long hundredths = nanos / 10_000_000;
    long seconds = hundredths / 100;
    long minutes = seconds / 60;
    long hours = minutes / 60;
    String tail = two(seconds % 60) + "." + two(hundredths % 100);
    if (fixed || hours > 0) {
      return hours + ":" + two(minutes % 60) + ":" + tail;
    }
    return minutes > 0 ? two(minutes) + ":" + tail : tail + " sec";
  }

  private static String two(long number) {
    return (number < 10 ? "0" : "") + number;
  }

  /** Shows bytes in hexadecimal and, where they are letters or digits, as such. */
  static void dump(Console console, MemorySegment bytes, long offset) {
    StringBuilder line = new StringBuilder();
    for (long start = 0; start < bytes.byteSize(); start += DUMP_BYTES) {
      line.setLength(0);
      String address = Long.toHexString(offset + start);
      line.repeat('0', Math.max(0, 8 - address.length())).append(address).append(":  ");
      long end = Math.min(start + DUMP_BYTES, bytes.byteSize());
      for (long position = start; position < end; position++) {
        HEX.toHexDigits(line, bytes.get(ValueLayout.JAVA_BYTE, position)).append(' ');
      }
      line.append(' ');
      for (long position = start; position < end; position++) {
        char character = (char) (bytes.get(ValueLayout.JAVA_BYTE, position) & 0xff);
        boolean shown = character < 0x80 && Character.isLetterOrDigit(character);
        line.append(shown ? character : '.');
      }
      console.line(line.toString());
    }
  }
}
