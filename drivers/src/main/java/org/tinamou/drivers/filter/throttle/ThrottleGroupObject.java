package org.tinamou.drivers.filter.throttle;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Clocks;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.objects.UserObject;

/** A throttle group by its name. It can be defined before there is a loop. Main loop. */
public final class ThrottleGroupObject implements UserObject {
  private final String id;
  private final ThrottleConfig config;
  private @Nullable ThrottleGroup group;

  ThrottleGroupObject(String id, ThrottleConfig config) {
    this.id = id;
    this.config = config;
  }

  /**
   * The group, made when it is first asked for.
   *
   * @param clocks what its limits are measured by
   */
  @HomeThread
  public ThrottleGroup group(Clocks clocks) {
    ThrottleGroup made = group;
    if (made == null) {
      made = new ThrottleGroup(id, clocks, config);
      group = made;
    }
    return made;
  }
}
