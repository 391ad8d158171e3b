package org.tinamou.drivers.filter.throttle;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.block.throttle.ThrottleGroup;

/** The throttle groups of a program, by their names. */
@FunctionalInterface
public interface ThrottleGroups {
  /** A program that has none. */
  ThrottleGroups NONE = name -> null;

  /** The group of a name, or null. */
  @AnyThread
  @Nullable ThrottleGroup find(String name);
}
