package org.tinamou.block;

import org.tinamou.base.Errno;

/**
 * What every node can be told when it is opened or reopened, whatever its driver.
 *
 * @param readOnly whether it refuses to be written to
 * @param autoReadOnly whether it may become read-only if it cannot be opened otherwise
 * @param cacheDirect whether the host's page cache is bypassed
 * @param cacheNoFlush whether flushes end before the disk
 * @param discardUnmap whether discards reach the driver; if not they succeed without effect
 * @param detectZeroes what happens to writes of zeroes
 * @param forceShare whether it lets others do what they want with what it uses
 * @param forCheck whether it is opened to be checked: damage that a check can tell of is no reason
 *     to refuse, and nothing is repaired on opening
 */
public record NodeOptions(
    boolean readOnly,
    boolean autoReadOnly,
    boolean cacheDirect,
    boolean cacheNoFlush,
    boolean discardUnmap,
    DetectZeroes detectZeroes,
    boolean forceShare,
    boolean forCheck) {
  /** Not for a check. */
  public NodeOptions(
      boolean readOnly,
      boolean autoReadOnly,
      boolean cacheDirect,
      boolean cacheNoFlush,
      boolean discardUnmap,
      DetectZeroes detectZeroes,
      boolean forceShare) {
    this(
        readOnly,
        autoReadOnly,
        cacheDirect,
        cacheNoFlush,
        discardUnmap,
        detectZeroes,
        forceShare,
        false);
  }

  /** Everything off. */
  public static final NodeOptions READ_WRITE =
      new NodeOptions(false, false, false, false, false, DetectZeroes.OFF, false);

  /** Everything off, and not to be written to. */
  public static final NodeOptions READ_ONLY = READ_WRITE.withReadOnly(true);

  /** The options that a node opened by no more than that flag has. */
  static NodeOptions of(boolean readOnly) {
    return readOnly ? READ_ONLY : READ_WRITE;
  }

  public NodeOptions withReadOnly(boolean value) {
    return new NodeOptions(
        value,
        autoReadOnly,
        cacheDirect,
        cacheNoFlush,
        discardUnmap,
        detectZeroes,
        forceShare,
        forCheck);
  }

  public NodeOptions withAutoReadOnly(boolean value) {
    return new NodeOptions(
        readOnly,
        value,
        cacheDirect,
        cacheNoFlush,
        discardUnmap,
        detectZeroes,
        forceShare,
        forCheck);
  }

  public NodeOptions withCacheDirect(boolean value) {
    return new NodeOptions(
        readOnly,
        autoReadOnly,
        value,
        cacheNoFlush,
        discardUnmap,
        detectZeroes,
        forceShare,
        forCheck);
  }

  public NodeOptions withCacheNoFlush(boolean value) {
    return new NodeOptions(
        readOnly,
        autoReadOnly,
        cacheDirect,
        value,
        discardUnmap,
        detectZeroes,
        forceShare,
        forCheck);
  }

  public NodeOptions withDiscardUnmap(boolean value) {
    return new NodeOptions(
        readOnly,
        autoReadOnly,
        cacheDirect,
        cacheNoFlush,
        value,
        detectZeroes,
        forceShare,
        forCheck);
  }

  public NodeOptions withDetectZeroes(DetectZeroes value) {
    return new NodeOptions(
        readOnly,
        autoReadOnly,
        cacheDirect,
        cacheNoFlush,
        discardUnmap,
        value,
        forceShare,
        forCheck);
  }

  public NodeOptions withForceShare(boolean value) {
    return new NodeOptions(
        readOnly,
        autoReadOnly,
        cacheDirect,
        cacheNoFlush,
        discardUnmap,
        detectZeroes,
        value,
        forCheck);
  }

  public NodeOptions withForCheck(boolean value) {
    return new NodeOptions(
        readOnly,
        autoReadOnly,
        cacheDirect,
        cacheNoFlush,
        discardUnmap,
        detectZeroes,
        forceShare,
        value);
  }

  /**
   * Refuses what makes no sense together.
   *
   * @throws BlockException with EINVAL and the reason
   */
  public void check() throws BlockException {
    if (forceShare && !readOnly) {
      throw new BlockException(
          Errno.EINVAL, "force-share=on can only be used with read-only images");
    }
    if (detectZeroes == DetectZeroes.UNMAP && !discardUnmap) {
      throw new BlockException(
          Errno.EINVAL,
          "setting detect-zeroes to unmap is not allowed without setting discard operation to unmap");
    }
  }
}
