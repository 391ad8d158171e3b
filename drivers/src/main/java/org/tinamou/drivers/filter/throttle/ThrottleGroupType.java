package org.tinamou.drivers.filter.throttle;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.block.BlockException;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code throttle-group}: limits that several nodes share. */
public final class ThrottleGroupType implements ObjectType {
  @Override
  public String name() {
    return "throttle-group";
  }

  @Override
  public List<String> properties() {
    return allProperties();
  }

  @Override
  public ThrottleGroupObject create(String id, OptionReader options, ObjectRegistry others)
      throws OptionException {
    return new ThrottleGroupObject(id, config(options));
  }

  private static List<String> allProperties() {
    List<String> all = new ArrayList<>();
    all.add("limits=<ThrottleLimits>");
    for (String what : List.of("bps-read", "bps-total", "bps-write", "iops-read")) {
      all.addAll(ofLimit(what));
    }
    all.add("x-iops-size=<int>");
    all.addAll(ofLimit("iops-total"));
    all.addAll(ofLimit("iops-write"));
    return List.copyOf(all);
  }

  private static List<String> ofLimit(String what) {
    String name = "x-" + what;
    return List.of(name + "-max-length=<int>", name + "-max=<int>", name + "=<int>");
  }

  /** Limits stand below {@code limits.} or, each for itself, behind {@code x-}. */
  private static ThrottleConfig config(OptionReader options) throws OptionException {
    Json.Members single = new Json.Members();
    for (String property : allProperties()) {
      String name = property.substring(0, property.indexOf('='));
      Long value = name.startsWith("x-") ? options.int64OrNull(name) : null;
      if (value != null && value < 0) {
        throw new OptionException("Property values cannot be negative");
      }
      if (value != null) {
        single.put(name.substring(2), value);
      }
    }
    try {
      ThrottleConfig config =
          ThrottleConfig.UNLIMITED.read(OptionReader.of(single, OptionReader.Style.TYPED));
      OptionReader limits = options.objectOrNull("limits");
      return limits == null ? config : config.read(limits);
    } catch (BlockException e) {
      throw new OptionException(String.valueOf(e.getMessage()), e.hint());
    }
  }
}
