package org.tinamou.block;

/**
 * What a check of an image has found.
 *
 * @param corruptions findings that endanger data; those that were repaired included
 * @param leaks clusters that are taken by nothing; those that were repaired included
 * @param checkErrors what could not be checked
 * @param corruptionsFixed how many corruptions were repaired
 * @param leaksFixed how many leaks were repaired
 * @param imageEndBytes where the last cluster in use ends in the file
 * @param totalClusters how many clusters the disk has
 * @param allocatedClusters how many of them have data of their own
 * @param fragmentedClusters how many of those do not follow the one before
 * @param compressedClusters how many of those are packed
 */
public record CheckReport(
    long corruptions,
    long leaks,
    long checkErrors,
    long corruptionsFixed,
    long leaksFixed,
    long imageEndBytes,
    long totalClusters,
    long allocatedClusters,
    long fragmentedClusters,
    long compressedClusters) {
  /** Whether nothing was found. */
  public boolean isClean() {
    return corruptions == 0 && leaks == 0 && checkErrors == 0;
  }
}
