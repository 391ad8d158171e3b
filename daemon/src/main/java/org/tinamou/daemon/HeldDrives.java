package org.tinamou.daemon;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockBackend;

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

  HeldDrives() {}

  /** Adds a drive, whose backend is closed with all the others. */
  @HomeThread
  public void add(Drive drive) {
    drives.add(drive);
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
