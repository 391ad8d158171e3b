package org.tinamou.drivers.format.luks;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.Secret;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionSchema.Option;
import org.tinamou.qapi.OptionValues;

/**
 * A change of a volume's key slots.
 *
 * @param active whether slots get the key, or lose it
 * @param newSecret the id of a slot's new password, or null
 * @param oldSecret the id of the password of the slots that are meant, or null
 * @param keyslot the slot that is meant, or null
 * @param iterationMillis how long unlocking is to take, or null
 */
public record LuksKeyChange(
    boolean active,
    @Nullable String newSecret,
    @Nullable String oldSecret,
    @Nullable Long keyslot,
    @Nullable Long iterationMillis) {
  private static final String IRREVERSIBLY =
      " will erase all the data in the image irreversibly - refusing operation";
  private static final long LOW_32 = 0xffff_ffffL;

  /** The options of a change, with a prefix before each name. */
  @AnyThread
  public static OptionSchema schema(String prefix) {
    return new OptionSchema(options(prefix));
  }

  /** The same as a list. */
  @AnyThread
  public static List<Option> options(String prefix) {
    return List.of(
        Option.number(prefix + "iter-time", "Time to spend in PBKDF in milliseconds"),
        Option.number(prefix + "keyslot", "Select a single keyslot to modify explicitly"),
        Option.string(
            prefix + "new-secret",
            "New secret to set in the matching keyslots. Empty string to erase"),
        Option.string(prefix + "old-secret", "Select all keyslots that match this password"),
        Option.string(prefix + "state", "Select new state of affected keyslots (active/inactive)"));
  }

  private static BlockException invalid(String message) {
    return new BlockException(Errno.EINVAL, message);
  }

  /** What options ask for. */
  @AnyThread
  public static LuksKeyChange of(OptionValues values, String prefix)
      throws BlockException, OptionException {
    String state = values.string(prefix + "state");
    if (state == null) {
      throw invalid("Parameter 'state' is missing");
    }
    if (!state.equals("active") && !state.equals("inactive")) {
      throw invalid("Parameter 'state' does not accept value '" + state + "'");
    }
    return new LuksKeyChange(
        state.equals("active"),
        values.string(prefix + "new-secret"),
        values.string(prefix + "old-secret"),
        values.has(prefix + "keyslot") ? values.number(prefix + "keyslot", 0) & LOW_32 : null,
        values.has(prefix + "iter-time") ? values.number(prefix + "iter-time", 0) : null);
  }

  /**
   * Makes the change.
   *
   * @param force whether the last key may go and keys may be replaced
   */
  @InCoroutine
  public void apply(LuksVolume volume, ObjectRegistry objects, KeyWork work, boolean force)
      throws BlockException, OptionException {
    if (active) {
      add(volume, objects, work, force);
    } else {
      erase(volume, objects, work, force);
    }
  }

  private int slot(long number) throws BlockException {
    if (number >= LuksHeader.SLOTS) {
      throw invalid(
          "Invalid keyslot "
              + number
              + " specified, must be between 0 and "
              + (LuksHeader.SLOTS - 1));
    }
    return (int) number;
  }

  private static boolean isActive(LuksVolume volume, int slot) {
    return volume.header().slots().get(slot).active();
  }

  private static List<Integer> activeSlots(LuksVolume volume) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < LuksHeader.SLOTS; i++) {
      if (isActive(volume, i)) {
        all.add(i);
      }
    }
    return all;
  }

  private void add(LuksVolume volume, ObjectRegistry objects, KeyWork work, boolean force)
      throws BlockException, OptionException {
    if (newSecret == null) {
      throw invalid("'new-secret' is required to activate a keyslot");
    }
    if (oldSecret != null) {
      throw invalid("'old-secret' must not be given when activating keyslots");
    }
    int index = -1;
    if (keyslot != null) {
      index = slot(keyslot);
      if (isActive(volume, index) && !force) {
        throw invalid("Refusing to overwrite active keyslot " + index + " - please erase it first");
      }
    } else {
      for (int i = LuksHeader.SLOTS - 1; i >= 0; i--) {
        index = isActive(volume, i) ? index : i;
      }
      if (index < 0) {
        throw invalid("Can't add a keyslot - all keyslots are in use");
      }
    }
    byte[] password = Secret.password(objects, newSecret);
    long millis = iterationMillis == null ? LuksRequest.USUAL_MILLIS : iterationMillis;
    volume.addKey(index, password, millis, work);
  }

  private void erase(LuksVolume volume, ObjectRegistry objects, KeyWork work, boolean force)
      throws BlockException, OptionException {
    if (newSecret != null) {
      throw invalid("'new-secret' must not be given when erasing keyslots");
    }
    if (iterationMillis != null) {
      throw invalid("'iter-time' must not be given when erasing keyslots");
    }
    byte[] password = oldSecret == null ? null : Secret.password(objects, oldSecret);
    if (keyslot != null) {
      eraseOne(volume, slot(keyslot), password, work, force);
    } else if (password != null) {
      eraseMatching(volume, password, work, force);
    } else {
      throw invalid(
          "To erase keyslot(s), either explicit keyslot index or the password currently contained"
              + " in them must be given");
    }
  }

  private static void eraseOne(
      LuksVolume volume, int index, byte @Nullable [] password, KeyWork work, boolean force)
      throws BlockException {
    if (password != null && !volume.opens(index, password, work)) {
      throw invalid(
          "Given keyslot " + index + " doesn't contain the given old password for erase operation");
    }
    if (!force && !isActive(volume, index)) {
      throw invalid("Given keyslot " + index + " is already erased (inactive) ");
    }
    if (!force && activeSlots(volume).size() == 1) {
      throw invalid("Attempt to erase the only active keyslot " + index + " which" + IRREVERSIBLY);
    }
    volume.eraseKey(index, work.random());
  }

  private static void eraseMatching(LuksVolume volume, byte[] password, KeyWork work, boolean force)
      throws BlockException {
    List<Integer> active = activeSlots(volume);
    List<Integer> matching = new ArrayList<>();
    for (int index : active) {
      if (volume.opens(index, password, work)) {
        matching.add(index);
      }
    }
    if (matching.isEmpty()) {
      throw invalid("No keyslots match given (old) password for erase operation");
    }
    if (!force && matching.size() == active.size()) {
      throw invalid(
          "All the active keyslots match the (old) password that was given and erasing them"
              + IRREVERSIBLY);
    }
    for (int index : matching) {
      volume.eraseKey(index, work.random());
    }
  }
}
