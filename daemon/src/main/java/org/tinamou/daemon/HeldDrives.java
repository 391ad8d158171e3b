package org.tinamou.daemon;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;

/**
 * The drives of a machine: backends with names of their own, with or without a device that uses
 * them. A daemon has none. Main loop.
 */
public final class HeldDrives {
  /**
   * A drive.
   *
   * @param device the path of the device it is plugged into, or null without one; such a drive
   *     cannot be taken out
   * @param readOnly whether media that are put in later are opened so
   */
  public record Drive(BlockBackend backend, @Nullable String device, boolean readOnly) {}

  private final List<Drive> drives = new ArrayList<>();
  private final Map<String, ThrottleGroup> groups = new HashMap<>();

  HeldDrives() {}

  /**
   * Has a drive keep to limits, or to none.
   *
   * @param groupName with whom it shares them, or null for its present group, else for nobody
   * @param object the group of that name that a user has defined, or null
   */
  @InCoroutine
  public void limit(
      BlockBackend drive,
      ThrottleConfig config,
      @Nullable String groupName,
      Function<String, @Nullable ThrottleGroup> object) {
    if (config.isUnlimited()) {
      drive.limits().keepTo(null);
      return;
    }
    ThrottleGroup group = drive.limits().group();
    if (group == null || groupName != null && !groupName.equals(group.name())) {
      String name = groupName == null ? drive.name() : groupName;
      ThrottleGroup defined = object.apply(name);
      groups.values().removeIf(each -> !each.hasMembers());
      group =
          defined != null
              ? defined
              : groups.computeIfAbsent(
                  name,
                  _ -> new ThrottleGroup(name, drive.context().clocks(), ThrottleConfig.UNLIMITED));
      drive.limits().keepTo(group);
    }
    group.configure(config);
  }

  /** Adds a drive, whose backend is closed with all the others. */
  @HomeThread
  public void add(Drive drive) {
    drives.add(drive);
  }

  /** Closes a drive, which is a drive no longer. */
  @InCoroutine
  public void remove(Drive drive) {
    if (drives.remove(drive)) {
      drive.backend().close();
    }
  }

  /** In the order in which they were added. */
  @HomeThread
  public List<Drive> all() {
    return List.copyOf(drives);
  }

  /** The drive of that name, or null. */
  @HomeThread
  public @Nullable Drive find(String name) {
    for (Drive drive : drives) {
      if (drive.backend().name().equals(name)) {
        return drive;
      }
    }
    return null;
  }

  /** Closes all of them, the last one first. */
  @InCoroutine
  public void close() {
    List<Drive> all = all().reversed();
    drives.clear();
    all.forEach(drive -> drive.backend().close());
  }
}
