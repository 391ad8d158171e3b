package org.tinamou.drivers.protocol.file;

import org.tinamou.block.Permission;

/**
 * How a file is opened.
 *
 * @param readOnly writes, zeroes, discards and truncation will not be asked for
 * @param cache how writes reach the disk
 * @param used what the opener is going to do, announced to other processes by locks: bits of {@link
 *     Permission}
 * @param shared what other processes may do meanwhile
 */
public record FileOptions(boolean readOnly, CacheMode cache, int used, int shared) {

  /** Reading while others may do what they like. */
  public static FileOptions reading(CacheMode cache) {
    return new FileOptions(true, cache, Permission.CONSISTENT_READ, Permission.ALL);
  }

  /** Reading and writing while others may do what they like. */
  public static FileOptions writing(CacheMode cache) {
    return new FileOptions(
        false, cache, Permission.CONSISTENT_READ | Permission.WRITE, Permission.ALL);
  }

  /** The same without letting others do these things. */
  public FileOptions unsharing(int permissions) {
    return new FileOptions(readOnly, cache, used, shared & ~permissions);
  }
}
