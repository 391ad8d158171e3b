package org.tinamou.tools.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.tinamou.tools.image.HostLocks.Holder;

class HostLocksTest {
  private static final long DEVICE = 0xfe00;
  private static final String TABLE =
      """
      1: POSIX  ADVISORY  WRITE 812 fe:00:77 0 EOF
      2: OFDLCK ADVISORY  READ -1 fe:00:2179348 203 203
      3: OFDLCK ADVISORY  READ -1 fe:00:2179348 100 101
      4: OFDLCK ADVISORY  WRITE -1 00:2a:5 0 EOF
      4: -> OFDLCK ADVISORY  WRITE -1 fe:00:2179348 102 102
      5: FLOCK  ADVISORY  WRITE 1 fe:00:2179348 0 EOF
      6: OFDLCK ADVISORY  READ -1 fe:00:21793 100 201""";

  private static Holder holder(long device, long inode, long offset) {
    return HostLocks.of(TABLE, device, inode, offset);
  }

  @Test
  void bytesOfARangeAreHeld() {
    assertEquals(Holder.SOMEBODY, holder(DEVICE, 2179348, 101));
    assertEquals(Holder.SOMEBODY, holder(DEVICE, 2179348, 203));
    assertEquals(Holder.SOMEBODY, holder(DEVICE, 21793, 103));
    assertEquals(Holder.SOMEBODY, holder(0x2a, 5, Long.MAX_VALUE));
  }

  @Test
  void otherBytesFilesAndKindsOfLocksAreNot() {
    assertEquals(Holder.NOBODY, holder(DEVICE, 2179348, 99));
    assertEquals(Holder.NOBODY, holder(DEVICE, 2179348, 102));
    assertEquals(Holder.NOBODY, holder(DEVICE, 77, 0));
    assertEquals(Holder.NOBODY, holder(DEVICE, 1, 101));
    assertEquals(Holder.NOBODY, HostLocks.of("", DEVICE, 1, 101));
    assertEquals(Holder.NOBODY, HostLocks.of("\n 3: OFDLCK\n", DEVICE, 1, 101));
  }

  /** On some file systems files have other device numbers than the table says. */
  @Test
  void anotherDeviceWithSuchAFileLeavesItOpen() {
    assertEquals(Holder.PERHAPS, holder(0xfe01, 2179348, 101));
    assertEquals(Holder.NOBODY, holder(0xfe01, 2179348, 102));
  }

  @Test
  void devicesAreNumberedAsTheCLibraryDoes() {
    String large = "1: OFDLCK ADVISORY  READ -1 103:12345:9 0 0\n";
    assertEquals(Holder.SOMEBODY, HostLocks.of(large, 0x12310345L, 9, 0));
  }
}
