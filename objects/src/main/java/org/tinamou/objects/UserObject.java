package org.tinamou.objects;

import org.tinamou.aio.HomeThread;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** What a user has defined under a name. Main loop, unless a kind of object says otherwise. */
public interface UserObject {
  /** What can be read of it: properties and their values, nothing that is secret. */
  @HomeThread
  default Json.Members properties() {
    return new Json.Members();
  }

  /**
   * Changes a property.
   *
   * @throws OptionException if there is none of that name, it cannot be changed any more, or the
   *     value does not fit
   */
  @HomeThread
  default void set(String property, Json value) throws OptionException {
    throw new OptionException("Property '" + property + "' is not writable");
  }

  /** Whether somebody uses it, so that it cannot be removed. */
  @HomeThread
  default boolean isInUse() {
    return false;
  }

  /** Frees what it holds; nobody will find it any more. */
  @HomeThread
  default void close() {}
}
