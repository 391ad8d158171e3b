package org.tinamou.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.base.ErrnoException;

/** Terminals and pseudo-terminals. Any thread. */
public final class Terminals {
  private static final int O_NOCTTY = 0400;
  private static final int TCGETS = 0x5401;
  private static final int TCSETS = 0x5402;
  private static final int TIOCGPTN = 0x80045430;
  private static final int TIOCSPTLCK = 0x40045431;

  /** The kernel's {@code struct termios}: four words of flags, a line discipline, 19 characters. */
  private static final int MODE_BYTES = 36;

  private static final int INPUT_FLAGS = 0;
  private static final int CONTROL_FLAGS = 8;
  private static final int LOCAL_FLAGS = 12;
  private static final int CHARACTERS = 17;

  /** IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON. */
  private static final int COOKED_INPUT = 01 | 02 | 010 | 040 | 0100 | 0200 | 0400 | 02000;

  /** ECHO ECHONL ICANON IEXTEN. */
  private static final int COOKED_LOCAL = 010 | 0100 | 02 | 0100000;

  /** OPOST. */
  private static final int COOKED_OUTPUT = 01;

  private static final int ISIG = 01;
  private static final int CSIZE = 060;
  private static final int CS8 = 060;
  private static final int VTIME = 5;
  private static final int VMIN = 6;

  private static final MemorySegment IOCTL = NativeCalls.function("ioctl");

  /**
   * The controlling end of a new pseudo-terminal.
   *
   * @param fd never blocks; the caller's
   * @param path what others open
   */
  public record Pseudo(int fd, String path) {}

  /** How a terminal treats characters, to be restored later. */
  public static final class Mode {
    private final byte[] bytes;

    private Mode(byte[] bytes) {
      this.bytes = bytes;
    }
  }

  private Terminals() {}

  /** Opens a pseudo-terminal that passes characters on as they are. */
  public static Pseudo openPseudo() throws ErrnoException {
    int flags = OpenFlags.READ_WRITE | OpenFlags.NON_BLOCKING | O_NOCTTY;
    int fd = NativeCalls.checked(LinuxFiles.open("/dev/ptmx", flags, 0), "open /dev/ptmx");
    try {
      number(fd, TIOCSPTLCK, "TIOCSPTLCK");
      int number = number(fd, TIOCGPTN, "TIOCGPTN");
      makeRaw(fd, false, false);
      return new Pseudo(fd, "/dev/pts/" + number);
    } catch (ErrnoException e) {
      LinuxFiles.close(fd);
      throw e;
    }
  }

  private static int number(int fd, int request, String name) throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      scratch.struct.set(ValueLayout.JAVA_INT, 0, 0);
      long value = scratch.struct.address();
      NativeCalls.checked(NativeCalls.callInt(IOCTL, scratch, fd, request, value, 0), name);
      return scratch.struct.get(ValueLayout.JAVA_INT, 0);
    } finally {
      scratch.release();
    }
  }

  /** Whether the descriptor is a terminal. */
  public static boolean isTerminal(int fd) {
    try {
      mode(fd);
      return true;
    } catch (ErrnoException e) {
      return false;
    }
  }

  /**
   * How the terminal treats characters now.
   *
   * @throws ErrnoException ENOTTY if it is none
   */
  public static Mode mode(int fd) throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      long value = scratch.struct.address();
      NativeCalls.checked(NativeCalls.callInt(IOCTL, scratch, fd, TCGETS, value, 0), "TCGETS");
      return new Mode(scratch.struct.asSlice(0, MODE_BYTES).toArray(ValueLayout.JAVA_BYTE));
    } finally {
      scratch.release();
    }
  }

  /** Goes back to a way of treating characters. */
  public static void restore(int fd, Mode mode) throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      MemorySegment.copy(mode.bytes, 0, scratch.struct, ValueLayout.JAVA_BYTE, 0, MODE_BYTES);
      long value = scratch.struct.address();
      NativeCalls.checked(NativeCalls.callInt(IOCTL, scratch, fd, TCSETS, value, 0), "TCSETS");
    } finally {
      scratch.release();
    }
  }

  /**
   * Passes on each character as it is typed, without showing it.
   *
   * @param signals whether the keys that interrupt and suspend still do so
   * @param lineEnds whether a line feed that is written still goes to the start of the line
   */
  public static void makeRaw(int fd, boolean signals, boolean lineEnds) throws ErrnoException {
    Mode mode = mode(fd);
    MemorySegment flags = MemorySegment.ofArray(mode.bytes);
    clear(flags, INPUT_FLAGS, COOKED_INPUT);
    clear(flags, LOCAL_FLAGS, COOKED_LOCAL | (signals ? 0 : ISIG));
    if (!lineEnds) {
      clear(flags, INPUT_FLAGS + Integer.BYTES, COOKED_OUTPUT);
    }
    int control = flags.get(ValueLayout.JAVA_INT_UNALIGNED, CONTROL_FLAGS);
    flags.set(ValueLayout.JAVA_INT_UNALIGNED, CONTROL_FLAGS, control & ~CSIZE | CS8);
    mode.bytes[CHARACTERS + VMIN] = 1;
    mode.bytes[CHARACTERS + VTIME] = 0;
    restore(fd, mode);
  }

  private static void clear(MemorySegment flags, int word, int bits) {
    int before = flags.get(ValueLayout.JAVA_INT_UNALIGNED, word);
    flags.set(ValueLayout.JAVA_INT_UNALIGNED, word, before & ~bits);
  }
}
