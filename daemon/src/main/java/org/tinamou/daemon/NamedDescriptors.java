package org.tinamou.daemon;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;

/**
 * Descriptors that clients have passed and given names, until somebody takes them. Each monitor has
 * names of its own. Main loop.
 */
public final class NamedDescriptors {
  /**
   * What a descriptor is found by.
   *
   * @param monitor compared by identity; null for commands that come from none
   */
  private record Key(@Nullable Object monitor, String name) {}

  private final Map<Key, Integer> byKey = new LinkedHashMap<>();

  /** Gives a name; the descriptor that had it before is the caller's to close, if there is one. */
  @HomeThread
  public @Nullable Integer put(@Nullable Object monitor, String name, int fd) {
    return byKey.put(new Key(monitor, name), fd);
  }

  /** The descriptor is the caller's from now on; null if there is none of that name. */
  @HomeThread
  public @Nullable Integer take(@Nullable Object monitor, String name) {
    return byKey.remove(new Key(monitor, name));
  }

  /** All that are left, which are the caller's from now on. */
  @HomeThread
  List<Integer> takeAll() {
    List<Integer> all = new ArrayList<>(byKey.values());
    byKey.clear();
    return all;
  }
}
