package org.tinamou.tools.system;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.OptionList;

/** Options whose first value may stand without its name. */
final class SystemOptionText {
  private SystemOptionText() {}

  /** The value of a name, which is implied for a first value without one; null if not given. */
  static @Nullable String valueOf(SystemArguments.@Nullable Given given, String name) {
    if (given == null) {
      return null;
    }
    List<OptionList.Entry> entries = OptionList.parse(given.text());
    if (!entries.isEmpty() && entries.getFirst().value() == null) {
      return entries.getFirst().key();
    }
    return OptionList.values(given.text()).get(name);
  }
}
