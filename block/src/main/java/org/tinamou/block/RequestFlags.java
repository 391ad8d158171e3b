package org.tinamou.block;

/** What a request carries besides its range and data: bits that are or'ed together. */
public final class RequestFlags {
  public static final int NONE = 0;

  /** The data must be on stable storage when the request completes. */
  public static final int FORCE_UNIT_ACCESS = 1;

  /** Zeroes may be stored by giving space back. */
  public static final int MAY_UNMAP = 1 << 1;

  /** Write-zeroes fails with ENOTSUP rather than write buffers of zeroes. */
  public static final int NO_FALLBACK = 1 << 2;

  /** The data written is what readers see already (copy on read): needs WRITE_UNCHANGED only. */
  public static final int WRITE_UNCHANGED = 1 << 3;

  /** Store compressed. */
  public static final int COMPRESSED = 1 << 4;

  /** Nothing else may touch the range while the request runs. */
  public static final int SERIALISING = 1 << 5;

  /** Read for its side effects only (copy on read, caches); the data is not wanted. */
  public static final int PREFETCH = 1 << 6;

  /** Copy what is read into the top layer. */
  public static final int COPY_ON_READ = 1 << 7;

  private RequestFlags() {}
}
