package org.tinamou.host;

/** Flag bits of open(2), pipe2(2) and socketpair(2) for the machine this runs on. */
public final class OpenFlags {
  private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

  public static final int READ_ONLY = 0;
  public static final int WRITE_ONLY = 1;
  public static final int READ_WRITE = 2;
  public static final int CREATE = 0100;
  public static final int EXCLUSIVE = 0200;
  public static final int TRUNCATE = 01000;
  public static final int APPEND = 02000;
  public static final int NON_BLOCKING = 04000;

  /** Writes return when the data and what is needed to read it back are stable (O_DSYNC). */
  public static final int DATA_SYNC = 010000;

  public static final int CLOSE_ON_EXEC = 02000000;

  /** Transfers bypass the page cache; buffers and offsets must be aligned (O_DIRECT). */
  public static final int DIRECT = ARM ? 0200000 : 040000;

  public static final int DIRECTORY = ARM ? 040000 : 0200000;
  public static final int NO_FOLLOW = ARM ? 0100000 : 0400000;

  private OpenFlags() {}
}
