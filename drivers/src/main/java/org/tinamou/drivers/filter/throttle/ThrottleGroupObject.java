package org.tinamou.drivers.filter.throttle;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Clocks;
import org.tinamou.block.BlockException;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleLimit;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** A throttle group by its name. It can be defined before there is a loop. Main loop. */
public final class ThrottleGroupObject implements UserObject {
  private final String id;
  private ThrottleConfig config;
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

  @Override
  public boolean isInUse() {
    return group != null && group.hasMembers();
  }

  @Override
  public Json.Members properties() {
    Json.Members all = new Json.Members().put("limits", limits());
    limits().members().forEach((name, value) -> all.put("x-" + name, value));
    return all;
  }

  private Json.Members limits() {
    Json.Members all = new Json.Members();
    for (Map.Entry<String, ThrottleLimit> each : config.limits().entrySet()) {
      ThrottleLimit limit = each.getValue();
      all.put(each.getKey(), limit.average());
      all.put(each.getKey() + "-max", limit.burst());
      all.put(each.getKey() + "-max-length", limit.burstSeconds());
    }
    return all.put("iops-size", config.requestBytes());
  }

  /** All limits that are given change at once, also for requests that wait. */
  @Override
  public void set(String property, Json value) throws OptionException {
    if (!property.equals("limits")) {
      throw new OptionException("Property cannot be set after initialization");
    }
    if (!(value instanceof Json.Members members)) {
      throw new OptionException("Invalid parameter type for 'limits', expected: object");
    }
    try {
      OptionReader reader = OptionReader.of(members, OptionReader.Style.TYPED);
      ThrottleConfig changed = config.read(reader);
      reader.finish();
      config = changed;
    } catch (BlockException e) {
      throw new OptionException(String.valueOf(e.getMessage()), e.hint());
    }
    if (group != null) {
      group.configure(config);
    }
  }
}
