package org.tinamou.testkit.crash;

import org.jspecify.annotations.Nullable;

/** What a disk may show after a power cut. */
@FunctionalInterface
interface DiskPromise {
  /** What is wrong with a disk, or null. */
  @Nullable String violatedBy(byte[] disk);
}
