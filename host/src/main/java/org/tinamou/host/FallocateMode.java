package org.tinamou.host;

/** Mode bits of fallocate(2); 0 allocates and extends the file. */
public final class FallocateMode {
  /** Allocates without changing the file's length. */
  public static final int KEEP_SIZE = 0x01;

  /** Gives the range's space back and reads zeroes from it; together with {@link #KEEP_SIZE}. */
  public static final int PUNCH_HOLE = 0x02;

  /** Makes the range read as zeroes, keeping it allocated where the file system can. */
  public static final int ZERO_RANGE = 0x10;

  /** Makes the range read as zeroes by a means that later writes need not convert. */
  public static final int WRITE_ZEROES = 0x80;

  private FallocateMode() {}
}
