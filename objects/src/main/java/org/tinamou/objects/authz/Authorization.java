package org.tinamou.objects.authz;

import org.tinamou.aio.AnyThread;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.OptionException;

/** Decides who may use something. */
public interface Authorization extends UserObject {
  /**
   * Whether the peer of that name may.
   *
   * @throws OptionException if that cannot be found out; then it may not
   */
  @AnyThread
  boolean allows(String identity) throws OptionException;
}
