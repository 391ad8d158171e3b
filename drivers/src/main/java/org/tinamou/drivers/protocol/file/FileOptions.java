package org.tinamou.drivers.protocol.file;

import java.util.Set;

/**
 * How a file is opened.
 *
 * @param readOnly writes, zeroes, discards and truncation will not be asked for
 * @param cache how writes reach the disk
 * @param used what the opener is going to do, announced to other processes by locks
 * @param unshared what other processes must not do meanwhile
 */
public record FileOptions(
    boolean readOnly, CacheMode cache, Set<Permission> used, Set<Permission> unshared) {

  /** Reading while others may do what they like. */
  public static FileOptions reading(CacheMode cache) {
    return new FileOptions(true, cache, Set.of(Permission.CONSISTENT_READ), Set.of());
  }

  /** Reading and writing while others may do what they like. */
  public static FileOptions writing(CacheMode cache) {
    return new FileOptions(
        false, cache, Set.of(Permission.CONSISTENT_READ, Permission.WRITE), Set.of());
  }

  /** The same without letting others do these things. */
  public FileOptions unsharing(Permission... permissions) {
    return new FileOptions(readOnly, cache, used, Set.of(permissions));
  }
}
