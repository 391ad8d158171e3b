package org.tinamou.block;

import java.util.ArrayList;
import java.util.List;

/** What a parent does to a child, and what it lets others do: sets of bits on each edge. */
public final class Permission {
  /** The data it reads must not change under it in ways it does not know of. */
  public static final int CONSISTENT_READ = 1;

  /** It changes what readers see. */
  public static final int WRITE = 1 << 1;

  /** It writes without changing what readers see. */
  public static final int WRITE_UNCHANGED = 1 << 2;

  /** It changes the size. */
  public static final int RESIZE = 1 << 3;

  public static final int NONE = 0;
  public static final int ALL = CONSISTENT_READ | WRITE | WRITE_UNCHANGED | RESIZE;

  /** What does not hurt a parent that only reads and writes its own way. */
  public static final int DEFAULT_SHARED = CONSISTENT_READ | WRITE_UNCHANGED;

  private Permission() {}

  /** The names of the bits as the wire and messages have them, joined by commas. */
  public static String names(int bits) {
    List<String> names = new ArrayList<>();
    if ((bits & CONSISTENT_READ) != 0) {
      names.add("consistent read");
    }
    if ((bits & WRITE) != 0) {
      names.add("write");
    }
    if ((bits & WRITE_UNCHANGED) != 0) {
      names.add("write unchanged");
    }
    if ((bits & RESIZE) != 0) {
      names.add("resize");
    }
    return String.join(", ", names);
  }
}
