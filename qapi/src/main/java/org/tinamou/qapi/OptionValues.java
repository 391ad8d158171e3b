package org.tinamou.qapi;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Checked options: immutable, with typed access. */
public final class OptionValues {
  private final OptionSchema schema;
  private final Map<String, String> values;

  OptionValues(OptionSchema schema, Map<String, String> values) {
    this.schema = schema;
    this.values = new LinkedHashMap<>(values);
  }

  /** This with one option set, as if it had been written last. */
  public OptionValues with(String name, String value) {
    OptionValues changed = new OptionValues(schema, values);
    changed.values.put(name, value);
    return changed;
  }

  /** This without one option. */
  public OptionValues without(String name) {
    OptionValues changed = new OptionValues(schema, values);
    changed.values.remove(name);
    return changed;
  }

  public boolean has(String name) {
    return values.containsKey(name);
  }

  public @Nullable String string(String name) {
    return values.get(name);
  }

  public boolean bool(String name, boolean fallback) throws OptionException {
    String value = values.get(name);
    return value == null ? fallback : OptionSchema.bool(name, value);
  }

  /** An unsigned number. */
  public long number(String name, long fallback) throws OptionException {
    String value = values.get(name);
    return value == null ? fallback : OptionSchema.number(name, value);
  }

  /** An unsigned size in bytes. */
  public long size(String name, long fallbackBytes) throws OptionException {
    String value = values.get(name);
    return value == null ? fallbackBytes : OptionSchema.size(name, value);
  }

  /**
   * {@code name=value} for each option given or with a value to report otherwise, in the schema's
   * order, sizes in bytes, separated by blanks.
   */
  public String report() throws OptionException {
    StringBuilder text = new StringBuilder();
    for (OptionSchema.Option option : schema.options()) {
      String value = values.getOrDefault(option.name(), option.reported());
      if (value != null) {
        text.append(text.isEmpty() ? "" : " ")
            .append(option.name())
            .append('=')
            .append(OptionSchema.shown(option, value));
      }
    }
    return text.toString();
  }
}
