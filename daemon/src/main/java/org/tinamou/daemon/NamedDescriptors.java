package org.tinamou.daemon;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;

/** Descriptors that clients have passed and given names, until somebody takes them. Main loop. */
public final class NamedDescriptors {
  private final Map<String, Integer> byName = new LinkedHashMap<>();

  /** Gives a name; the descriptor that had it before is the caller's to close, if there is one. */
  @HomeThread
  public @Nullable Integer put(String name, int fd) {
    return byName.put(name, fd);
  }

  /** The descriptor is the caller's from now on; null if there is none of that name. */
  @HomeThread
  public @Nullable Integer take(String name) {
    return byName.remove(name);
  }

  /** The name of any of them, or null if there is none. */
  @HomeThread
  @Nullable String any() {
    return byName.isEmpty() ? null : byName.keySet().iterator().next();
  }
}
