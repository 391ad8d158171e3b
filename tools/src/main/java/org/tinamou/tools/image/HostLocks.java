package org.tinamou.tools.image;

import java.util.Arrays;

/** Who holds locks on the host's files, as the kernel's table of all locks tells. */
final class HostLocks {
  /** What the table says of a byte of a file. */
  enum Holder {
    NOBODY,
    SOMEBODY,
    /** The table names a file that may be this one: its device goes by another number there. */
    PERHAPS
  }

  private static final String KIND = "OFDLCK";
  private static final int FIELDS = 8;
  private static final int HEXADECIMAL = 16;

  private HostLocks() {}

  /**
   * Looks for locks of open file descriptions, which are what images are locked by.
   *
   * @param table {@code /proc/locks}: one line a lock, with its kind in the second field, the file
   *     as {@code major:minor:inode} in the sixth and the range's first and last byte behind it
   * @param device as stat(2) numbers it
   */
  static Holder of(String table, long device, long inode, long offsetBytes) {
    Holder found = Holder.NOBODY;
    int start = 0;
    while (start < table.length()) {
      int end = table.indexOf('\n', start);
      if (end < 0) {
        end = table.length();
      }
      Holder here = ofLine(fields(table, start, end), device, inode, offsetBytes);
      if (here == Holder.SOMEBODY) {
        return here;
      }
      if (here == Holder.PERHAPS) {
        found = here;
      }
      start = end + 1;
    }
    return found;
  }

  /** The words of a line; fewer than all are empty, as are those of a lock that only waits. */
  private static String[] fields(String table, int start, int end) {
    String[] fields = new String[FIELDS];
    Arrays.fill(fields, "");
    int at = start;
    for (int index = 0; index < FIELDS; index++) {
      while (at < end && table.charAt(at) == ' ') {
        at++;
      }
      int word = at;
      while (at < end && table.charAt(at) != ' ') {
        at++;
      }
      fields[index] = table.substring(word, at);
    }
    return fields;
  }

  private static Holder ofLine(String[] fields, long device, long inode, long offset) {
    if (!fields[1].equals(KIND)) {
      return Holder.NOBODY;
    }
    String file = fields[5];
    int minor = file.indexOf(':') + 1;
    int node = file.lastIndexOf(':') + 1;
    if (minor == 0 || node <= minor || !file.substring(node).equals(Long.toString(inode))) {
      return Holder.NOBODY;
    }
    try {
      boolean covered =
          Long.parseLong(fields[6]) <= offset
              && (fields[7].equals("EOF") || offset <= Long.parseLong(fields[7]));
      if (!covered) {
        return Holder.NOBODY;
      }
      long majorNumber = Long.parseLong(file.substring(0, minor - 1), HEXADECIMAL);
      long minorNumber = Long.parseLong(file.substring(minor, node - 1), HEXADECIMAL);
      return majorNumber == major(device) && minorNumber == minor(device)
          ? Holder.SOMEBODY
          : Holder.PERHAPS;
    } catch (NumberFormatException e) {
      return Holder.PERHAPS;
    }
  }

  /** As the C library takes the number of a device apart. */
  private static long major(long device) {
    return (device >>> 8 & 0xfff) | (device >>> 32 & 0xffff_f000L);
  }

  private static long minor(long device) {
    return (device & 0xff) | (device >>> 12 & 0xffff_ff00L);
  }
}
