package org.tinamou.jobs;

import org.jspecify.annotations.Nullable;

/**
 * What every job is created with.
 *
 * @param id its name
 * @param speedBytesPerSecond at most so fast; 0 for no limit
 * @param autoFinalize whether it ends without being told that it may
 * @param autoDismiss whether it is forgotten when it has ended
 * @param transaction those it ends together with, or null
 */
public record JobSettings(
    String id,
    long speedBytesPerSecond,
    boolean autoFinalize,
    boolean autoDismiss,
    @Nullable JobTransaction transaction) {
  /** A job that ends and goes by itself. */
  public static JobSettings of(String id) {
    return new JobSettings(id, 0, true, true, null);
  }

  public JobSettings withSpeed(long bytesPerSecond) {
    return new JobSettings(id, bytesPerSecond, autoFinalize, autoDismiss, transaction);
  }

  public JobSettings manual(boolean finalizesItself, boolean dismissesItself) {
    return new JobSettings(id, speedBytesPerSecond, finalizesItself, dismissesItself, transaction);
  }

  public JobSettings in(@Nullable JobTransaction with) {
    return new JobSettings(id, speedBytesPerSecond, autoFinalize, autoDismiss, with);
  }
}
