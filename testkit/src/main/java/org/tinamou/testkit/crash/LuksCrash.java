package org.tinamou.testkit.crash;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.RequestFlags;
import org.tinamou.qapi.OptionException;
import org.tinamou.testkit.crash.Qcow2Crash.Failure;

/**
 * Changes the key slots of an encrypted volume, cuts the power at every point, and judges what is
 * left: the data, each slot that says it is in use, and which passwords open the volume.
 */
public final class LuksCrash {
  private static final String CRASHED = "crashed ";

  /** What is done. */
  private enum Operation {
    ADD,
    REPLACE,
    REPLACE_FULL,

    /** Without room for another key: a power cut may lose this one, but no other. */
    REPLACE_IN_PLACE,
    ERASE,
    ERASE_SLOT
  }

  /**
   * What may be found.
   *
   * @param openers of each set at least one opens it
   * @param never those do not
   */
  private record Keys(List<Set<String>> openers, Set<String> never, DiskStates disk)
      implements DiskPromise {
    @Override
    public @Nullable String violatedBy(byte[] shown) {
      return disk.violatedBy(shown);
    }
  }

  private final SeededRandom random;
  private final LuksImages images;
  private final Operation operation;
  private final Journal journal = new Journal();

  /** The slot that is meant. */
  private final int slot;

  private byte[] disk;
  private byte[] header = {};
  private int states;

  private LuksCrash(AioContext context, long seed, SeededRandom random) throws Exception {
    Operation[] all = Operation.values();
    this.random = random;
    this.operation = all[(int) Math.floorMod(seed, (long) all.length)];
    this.images = new LuksImages(context, random.fork(), operation == Operation.REPLACE_FULL);
    // The record of one of them lies in two sectors.
    this.slot = random.nextInt(3) == 0 ? LuksSlots.IN_TWO_SECTORS : random.nextInt(LuksSlots.COUNT);
    this.disk = new byte[LuksImages.DISK_BYTES];
  }

  /**
   * Plays one seed.
   *
   * @return how many states were judged
   * @throws Failure with all that is needed to understand it
   */
  @InCoroutine
  public static int play(AioContext context, long seed, SeededRandom random) throws Exception {
    return new LuksCrash(context, seed, random).run();
  }

  // -------------------------------------------------------------------------------------- playing

  private int run() throws Exception {
    prepare();
    images.files().forEach(journal::follow);
    header = images.header();
    mark(Set.of(LuksImages.GONE), before(), List.of(disk));
    CrashImage image = images.open("", LuksImages.KEPT, NodeOptions.READ_WRITE);
    try {
      if (random.nextBoolean()) {
        write(image);
      }
      amend(image);
      mark(gone(), after(), List.of(disk));
    } finally {
      image.close();
    }
    new CrashStates(journal, random.fork(), this::judge).visitAll();
    return states;
  }

  /** A volume with some data, keys in some of its slots, and a key that was erased. */
  private void prepare() throws Exception {
    // Another slot than the one that is meant.
    int kept = (slot + 1 + random.nextInt(LuksSlots.COUNT - 1)) % LuksSlots.COUNT;
    images.create();
    CrashImage image = images.open("", LuksImages.FIRST, NodeOptions.READ_WRITE);
    disk = image.readAll(); // noise, where nothing was written
    write(image);
    if (kept != 0) {
      change(image, kept, LuksImages.KEPT);
      erase(image, 0);
    } else {
      change(image, 0, LuksImages.KEPT, true);
    }
    if (operation != Operation.ADD) {
      change(image, slot, LuksImages.GONE);
      change(image, slot, LuksImages.OLD, true);
    } else {
      change(image, slot, LuksImages.GONE);
      erase(image, slot);
    }
    if (operation == Operation.REPLACE_FULL || operation == Operation.REPLACE_IN_PLACE) {
      for (int i = 0; i < LuksSlots.COUNT; i++) {
        if (i != slot && i != kept) {
          change(image, i, LuksImages.KEPT);
        }
      }
      if (random.nextBoolean()) {
        change(image, slot, LuksImages.GONE, true);
        change(image, slot, LuksImages.OLD, true);
      }
    }
    image.backend().flush();
    image.close();
  }

  private void write(CrashImage image) throws BlockException {
    byte[] next = disk.clone();
    int sectors = disk.length / GuestModel.SECTOR_BYTES;
    int from = random.nextInt(sectors) * GuestModel.SECTOR_BYTES;
    for (int i = from; i < next.length; i++) {
      next[i] = (byte) random.nextInt(256);
    }
    mark(Set.of(LuksImages.GONE), before(), List.of(disk, next));
    image.writeBytes(from, next, from, next.length - from, RequestFlags.NONE);
    image.backend().flush();
    disk = next;
    mark(Set.of(LuksImages.GONE), before(), List.of(disk));
  }

  private void change(CrashImage image, int at, String secret) throws BlockException {
    change(image, at, secret, false);
  }

  private void change(CrashImage image, int at, String secret, boolean force)
      throws BlockException {
    amend(image, "state=active,keyslot=%d,new-secret=%s".formatted(at, secret), force);
  }

  private void erase(CrashImage image, int at) throws BlockException {
    amend(image, "state=inactive,keyslot=" + at, false);
  }

  private void amend(CrashImage image, String options, boolean force) throws BlockException {
    try {
      image.amendable().amend(image.amendable().amendOptions().parse(options), force);
    } catch (OptionException e) {
      throw new IllegalStateException(options, e);
    }
  }

  private void amend(CrashImage image) throws BlockException {
    switch (operation) {
      case ADD -> change(image, slot, LuksImages.NEW);
      case REPLACE, REPLACE_FULL, REPLACE_IN_PLACE -> change(image, slot, LuksImages.NEW, true);
      case ERASE -> amend(image, "state=inactive,old-secret=" + LuksImages.OLD, false);
      case ERASE_SLOT -> erase(image, slot);
    }
  }

  // -------------------------------------------------------------------------------------- judging

  private List<Set<String>> before() {
    return switch (operation) {
      case ADD, REPLACE_IN_PLACE, ERASE, ERASE_SLOT -> List.of(Set.of(LuksImages.KEPT));
      case REPLACE, REPLACE_FULL ->
          List.of(Set.of(LuksImages.KEPT), Set.of(LuksImages.OLD, LuksImages.NEW));
    };
  }

  private List<Set<String>> after() {
    return switch (operation) {
      case ADD, REPLACE, REPLACE_FULL, REPLACE_IN_PLACE ->
          List.of(Set.of(LuksImages.KEPT), Set.of(LuksImages.NEW));
      case ERASE, ERASE_SLOT -> List.of(Set.of(LuksImages.KEPT));
    };
  }

  private static Set<String> gone() {
    return Set.of(LuksImages.GONE, LuksImages.OLD);
  }

  private void mark(Set<String> never, List<Set<String>> openers, List<byte[]> disks) {
    journal.mark(new Keys(openers, never, new DiskStates(disks, false)));
  }

  private void judge(String name, Map<String, byte[]> contents, DiskPromise promise)
      throws Exception {
    states++;
    images.put(CRASHED, contents);
    String verdict;
    try {
      verdict = verdict((Keys) promise);
    } catch (BlockException e) {
      verdict = "UNREADABLE " + e.getMessage();
    }
    if (verdict != null) {
      throw new Failure(
          "%s, %s: %s of slot %d (%s)".formatted(verdict, name, operation, slot, images));
    }
    if (states % 16 == 0) {
      Coroutine.yieldNow();
    }
  }

  private @Nullable String verdict(Keys promise) throws BlockException {
    byte[] now = images.header(CRASHED);
    Map<Integer, Set<String>> openers = new LinkedHashMap<>();
    for (int i = 0; i < LuksSlots.COUNT; i++) {
      if (LuksSlots.isActive(now, i)) {
        openers.put(i, openers(now, i));
      }
    }
    Set<String> all = new TreeSet<>();
    for (Map.Entry<Integer, Set<String>> each : openers.entrySet()) {
      if (each.getValue().isEmpty()) {
        return "SLOT %d IS ACTIVE AND NO PASSWORD OPENS IT".formatted(each.getKey());
      }
      all.addAll(each.getValue());
    }
    for (Set<String> some : promise.openers()) {
      if (some.stream().noneMatch(all::contains)) {
        return "NONE OF %s OPENS IT, ONLY %s".formatted(new TreeSet<>(some), all);
      }
    }
    for (String never : promise.never()) {
      if (all.contains(never)) {
        return "%s OPENS IT AGAIN".formatted(never);
      }
    }
    CrashImage image = images.open(CRASHED, LuksImages.KEPT, NodeOptions.READ_ONLY);
    try {
      String violation = promise.violatedBy(image.readAll());
      return violation == null ? null : "LOST DATA " + violation;
    } finally {
      image.close();
    }
  }

  /** Which passwords open a slot; a slot that is as it was is opened by the one that did. */
  private Set<String> openers(byte[] now, int index) throws BlockException {
    if (index != slot && LuksSlots.isSame(header, now, index)) {
      return Set.of(LuksImages.KEPT);
    }
    Set<String> openers = new TreeSet<>();
    for (String secret : List.of(LuksImages.NEW, LuksImages.OLD, LuksImages.GONE)) {
      if (images.opens(LuksSlots.alone(now, index), secret)) {
        openers.add(secret);
      }
    }
    return openers;
  }
}
