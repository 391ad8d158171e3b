package org.tinamou.qapi.schema;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.MemberOrder;

/**
 * Picks, of several members that an object should not have, the one that is complained about. The
 * reference takes the first that is left in a hash table of GLib's, from which it has removed the
 * known ones one after another; so that messages are equal, the places in such a table are computed
 * here. Without unknown members, or with one, nothing is computed.
 */
final class UnexpectedMember {
  private static final int MIN_SHIFT = 3;

  /** For each power of two the divisor that hashes are reduced by. */
  private static final int[] DIVISORS = {
    1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071
  };

  /** Stands where a member was removed. */
  private static final String REMOVED = new String("removed");

  private int shift = MIN_SHIFT;
  private @Nullable String[] slots = new String[1 << MIN_SHIFT];
  private int members;

  /** Members and places where some were removed. */
  private int occupied;

  private UnexpectedMember() {}

  /**
   * The name of one that is not known, or null if there is none.
   *
   * @param known names that the object has, in the order in which they were looked at
   */
  static @Nullable String first(Json.Members given, Collection<String> known) {
    int unknown = given.members().size() - known.size();
    if (unknown == 0) {
      return null;
    }
    if (unknown == 1 || given.members().size() >= 1 << (DIVISORS.length - 2)) {
      for (String name : given.members().keySet()) {
        if (!known.contains(name)) {
          return name;
        }
      }
    }
    UnexpectedMember table = new UnexpectedMember();
    MemberOrder.sorted(given.members().keySet()).forEach(table::insert);
    known.forEach(table::remove);
    for (String slot : table.slots) {
      if (isMember(slot)) {
        return slot;
      }
    }
    return null;
  }

  @SuppressWarnings("ReferenceEquality") // a member may well be called "removed"
  private static boolean isMember(@Nullable String slot) {
    return slot != null && slot != REMOVED;
  }

  private int home(String name) {
    int hash = 5381;
    for (byte character : name.getBytes(StandardCharsets.UTF_8)) {
      hash = hash * 33 + character;
    }
    if (hash == 0 || hash == 1) {
      hash = 2; // 0 and 1 mark free and removed places
    }
    return Integer.remainderUnsigned(hash * 11, DIVISORS[shift]);
  }

  private void insert(String name) {
    int place = home(name);
    for (int step = 1; slots[place] != null; step++) {
      place = (place + step) & (slots.length - 1);
    }
    slots[place] = name;
    members++;
    occupied++;
    resize();
  }

  private void remove(String name) {
    int place = home(name);
    for (int step = 1; !name.equals(slots[place]) || !isMember(slots[place]); step++) {
      place = (place + step) & (slots.length - 1);
    }
    slots[place] = REMOVED;
    members--;
    resize();
  }

  private void resize() {
    int size = slots.length;
    boolean sparse = size > members * 4 && size > 1 << MIN_SHIFT;
    boolean full = size <= occupied + occupied / 16;
    if (!sparse && !full) {
      return;
    }
    int wanted = (int) (members * 1.333);
    shift = Math.max(MIN_SHIFT, Integer.SIZE - Integer.numberOfLeadingZeros(wanted));
    int newSize = 1 << shift;
    @Nullable String[] old = Arrays.copyOf(slots, Math.max(size, newSize));
    place(old, size, newSize);
    slots = Arrays.copyOf(old, newSize);
    occupied = members;
  }

  /** Moves each member to its new place; one that stood there is moved next. */
  private void place(@Nullable String[] table, int oldSize, int newSize) {
    boolean[] settled = new boolean[table.length];
    for (int i = 0; i < oldSize; i++) {
      String moving = table[i];
      if (moving == null || (settled[i] && i < newSize)) {
        continue;
      }
      table[i] = null;
      while (moving != null && isMember(moving)) {
        int place = home(moving);
        for (int step = 1; settled[place]; step++) {
          place = (place + step) & (newSize - 1);
        }
        settled[place] = true;
        String evicted = table[place];
        table[place] = moving;
        moving = evicted;
      }
    }
  }
}
