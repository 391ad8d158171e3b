package org.tinamou.monitor.hmp;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.monitor.CommandContext;

/** What was written behind a command. */
public final class HumanArguments {
  private final Map<String, Object> values = new HashMap<>();

  private final CommandContext source;

  HumanArguments(CommandContext source) {
    this.source = source;
  }

  /** Whoever has entered the line. */
  public CommandContext source() {
    return source;
  }

  void put(String name, Object value) {
    values.put(name, value);
  }

  /** Whether a flag or an optional argument is there. */
  public boolean has(String name) {
    return values.containsKey(name);
  }

  public @Nullable String textOrNull(String name) {
    return (String) values.get(name);
  }

  /** A text that has to be there. */
  public String text(String name) {
    return Objects.requireNonNull(textOrNull(name));
  }

  public long number(String name, long fallback) {
    Long value = (Long) values.get(name);
    return value == null ? fallback : value;
  }

  /** A number that has to be there. */
  public long number(String name) {
    return (Long) Objects.requireNonNull(values.get(name));
  }
}
