package org.tinamou.daemon.command;

import org.tinamou.aio.AnyThread;
import org.tinamou.qapi.Json;

/** Which release of the reference a daemon answers like. */
public final class Version {
  private static final int MAJOR = 7;
  private static final int MINOR = 2;
  private static final int MICRO = 22;

  private Version() {}

  /** What {@code query-version} returns, and clients are greeted with. */
  @AnyThread
  public static Json.Members report() {
    return new Json.Members()
        .put("qemu", new Json.Members().put("major", MAJOR).put("minor", MINOR).put("micro", MICRO))
        .put("package", "Tinamou");
  }
}
