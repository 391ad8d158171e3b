package org.tinamou.block;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Check;

/**
 * A set that many threads add to and remove from without a lock, at one atomic instruction each.
 * Whoever adds or removes an item and then looks at something else, and whoever changes that and
 * then visits the items, cannot miss each other. Grows to the most items ever held at once.
 */
final class SlotTable<T extends SlotTable.Item> {
  /** What can be in a table: in one, once. */
  abstract static class Item {
    private @Nullable Slots slots;
    private int slot;
  }

  private static final int SLOTS = 256;
  private static final int PROBES = 8;
  private static final long SPREAD = 0x9E3779B97F4A7C15L;

  /** One part of the table, and the way to the next. */
  private static final class Slots {
    final AtomicReferenceArray<@Nullable Item> items = new AtomicReferenceArray<>(SLOTS);
    final AtomicReference<@Nullable Slots> next = new AtomicReference<>();

    Slots following() {
      Slots known = next.get();
      if (known != null) {
        return known;
      }
      Slots added = new Slots();
      Slots raced = next.compareAndExchange(null, added);
      return raced == null ? added : raced;
    }
  }

  private final Slots first = new Slots();

  /**
   * Adds an item.
   *
   * @param key likely to differ from those of other items; decides the order of visits
   */
  @AnyThread
  void add(T item, long key) {
    int start = (int) (key * SPREAD >>> (Long.SIZE - Byte.SIZE));
    for (Slots slots = first; ; slots = slots.following()) {
      for (int probe = 0; probe < PROBES; probe++) {
        int slot = (start + probe) & (SLOTS - 1);
        if (slots.items.getPlain(slot) == null && slots.items.compareAndSet(slot, null, item)) {
          Item place = item;
          place.slots = slots;
          place.slot = slot;
          return;
        }
      }
    }
  }

  /** Removes an item, by whoever added it. */
  @AnyThread
  void remove(T item) {
    Item place = item;
    Slots slots = place.slots;
    Check.state(slots != null, "removed twice or never added: %s", item);
    place.slots = null;
    java.util.Objects.requireNonNull(slots).items.set(place.slot, null);
  }

  /**
   * An item that fits, or null. Asks of each item that is there all the time, and perhaps of some
   * that come or go meanwhile.
   */
  @AnyThread
  @SuppressWarnings("unchecked") // only add puts items in
  @Nullable T find(Predicate<? super T> fits) {
    for (Slots slots = first; slots != null; slots = slots.next.get()) {
      for (int slot = 0; slot < SLOTS; slot++) {
        Item item = slots.items.get(slot);
        if (item != null && fits.test((T) item)) {
          return (T) item;
        }
      }
    }
    return null;
  }
}
