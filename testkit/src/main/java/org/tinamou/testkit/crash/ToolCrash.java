package org.tinamou.testkit.crash;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckReport;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.testkit.crash.Qcow2Crash.Failure;

/**
 * Does to a qcow2 image of some kind what a tool does, cuts the power at every point, and judges
 * what is left in all files: no corruption, the guest's disk as it was or as it was to become,
 * snapshots, bitmaps and keys.
 */
public final class ToolCrash {
  private static final List<ToolOperation.Case> CASES = ToolOperation.cases();

  /** So many seeds are all operations on all kinds of images. */
  public static final int ROUND = CASES.size();

  /** Neighbours are far from each other, so that a few seeds are some of everything. */
  private static final int STRIDE = 131;

  private static final String CRASHED = "crashed ";
  private static final int VERSION_BYTE = 7;
  private static final int DIRTY_BYTE = 79;

  /** Sees the files as each power cut left them. */
  @FunctionalInterface
  public interface Observer {
    /** The default: looks away. */
    Observer NONE = (name, contents) -> {};

    void see(String name, Map<String, byte[]> contents) throws Exception;
  }

  private final SeededRandom random;
  private final Observer observer;
  private final ToolOperation operation;
  private final ToolImages images;
  private final Journal journal = new Journal();

  /** What each snapshot shows. */
  private final Map<String, byte[]> kept = new HashMap<>();

  /** The snapshots that are there whatever happens. */
  private final Set<String> keptSurely = new HashSet<>();

  /** What bitmaps may hold where they say that they are sound. */
  private final Map<String, Set<String>> bitmapContents = new HashMap<>();

  /** The bitmaps that are there whatever happens, sound or not. */
  private final Set<String> bitmapsSurely = new HashSet<>();

  private byte[] source = {};
  private String story = "";
  private int states;

  private ToolCrash(AioContext context, long seed, SeededRandom random, Observer observer)
      throws Exception {
    ToolOperation.Case drawn = CASES.get((int) Math.floorMod(seed * STRIDE, (long) ROUND));
    this.random = random;
    this.observer = observer;
    this.operation = drawn.operation();
    this.images = new ToolImages(context, random.fork(), operation, drawn.kind());
  }

  /**
   * Plays one seed: its number names the operation and the kind of image.
   *
   * @return how many states were judged
   * @throws Failure with all that is needed to understand it
   */
  @InCoroutine
  public static int play(AioContext context, long seed, SeededRandom random, Observer observer)
      throws Exception {
    return new ToolCrash(context, seed, random, observer).run();
  }

  private int run() throws Exception {
    ToolFilling filling = new ToolFilling(images, random.fork());
    images.create(random);
    filling.fill(operation);
    if (operation == ToolOperation.AMEND_ERASE_KEY) {
      ToolActions.addSecondKey(images);
    }
    kept.putAll(filling.kept());
    keptSurely.addAll(kept.keySet());
    if (operation.readsSource()) {
      images.createSource(random);
      source = images.files().file(ToolImages.SOURCE).content();
    }
    byte[] before = look();
    bitmapsSurely.addAll(bitmapContents.keySet());
    images.changed(operation).forEach(journal::follow);
    ToolActions actions = new ToolActions(images, filling, random.fork(), journal, before);
    try {
      perform(actions);
    } catch (BlockException e) {
      throw new Failure("%s failed: %s (%s)".formatted(operation, e.getMessage(), images));
    }
    story = operation + (actions.refusal() == null ? "" : " refused: " + actions.refusal());
    byte[] after = look();
    if (!Arrays.equals(after, actions.disk())) {
      throw new Failure(
          "%s: the disk differs from byte %#x on (%s)"
              .formatted(story, Arrays.mismatch(after, actions.disk()), images));
    }
    journal.mark(new DiskStates(List.of(after), true));
    new CrashStates(journal, random.fork(), this::judge).visitAll();
    return states;
  }

  private void perform(ToolActions actions) throws BlockException {
    boolean writesBefore = random.nextInt(3) == 0;
    if (operation.writesBelow()) {
      try (ToolImages.Pair both = images.openBoth()) {
        if (writesBefore) {
          actions.writeBefore(both.image());
        }
        actions.commit(both, operation == ToolOperation.COMMIT_KEEPING);
      }
      return;
    }
    CrashImage image = images.open(NodeOptions.READ_WRITE);
    try {
      if (writesBefore) {
        actions.writeBefore(image);
      }
      actions.perform(operation, image, kept);
    } finally {
      image.close();
    }
  }

  /** Notes what is there besides the disk while nothing happens, and returns the disk. */
  private byte[] look() throws BlockException {
    CrashImage image = openWithSomeKey("", images.below(), NodeOptions.READ_ONLY);
    try {
      Set<String> now = new HashSet<>();
      image.snapshots().snapshots().forEach(each -> now.add(each.name()));
      keptSurely.retainAll(now);
      Set<String> bitmaps = new HashSet<>();
      for (DirtyBitmap bitmap : image.bitmaps()) {
        bitmaps.add(String.valueOf(bitmap.name()));
        bitmapContents
            .computeIfAbsent(String.valueOf(bitmap.name()), name -> new HashSet<>())
            .add(contentOf(bitmap));
      }
      bitmapsSurely.retainAll(bitmaps);
      return image.readAll();
    } finally {
      image.close();
    }
  }

  private static String contentOf(DirtyBitmap bitmap) {
    return bitmap.sizeBytes() + " " + bitmap.sha256();
  }

  // ------------------------------------------------------------------------------------- judging

  private void judge(String name, Map<String, byte[]> contents, DiskPromise promise)
      throws Exception {
    states++;
    observer.see(name, contents);
    images.put(CRASHED, contents);
    String verdict;
    try {
      verdict = verdict(contents, (DiskStates) promise);
    } catch (BlockException e) {
      verdict = "UNREADABLE " + e.getMessage();
    }
    if (verdict != null) {
      throw new Failure("%s, %s: %s (%s)".formatted(verdict, name, story, images));
    }
    if (states % 16 == 0) {
      Coroutine.yieldNow();
    }
  }

  private @Nullable String verdict(Map<String, byte[]> contents, DiskStates promise)
      throws BlockException {
    byte[] content = Objects.requireNonNull(contents.get(ToolImages.IMAGE));
    if (operation.readsSource() && !Arrays.equals(source, contents.get(ToolImages.SOURCE))) {
      return "CHANGED SOURCE";
    }
    String below = Qcow2Crash.backingName(content);
    if (!isExpectedBelow(below)) {
      return "LOST NAME " + below.replaceAll("[^!-~]", "?");
    }
    boolean old = content[VERSION_BYTE] == 2;
    boolean dirty = !old && (content[DIRTY_BYTE] & 1) != 0;
    CrashImage image =
        openWithSomeKey(
            CRASHED,
            below.isEmpty() ? null : below,
            dirty ? NodeOptions.READ_WRITE : NodeOptions.READ_ONLY);
    String verdict;
    boolean hasSecondKey;
    try {
      verdict = verdict(image, old, promise);
      hasSecondKey = operation == ToolOperation.AMEND_ADD_KEY && image.activeKeys() == 2;
    } finally {
      image.close();
    }
    if (verdict == null && hasSecondKey) {
      String backing = below.isEmpty() ? null : below;
      images.open(CRASHED, backing, ToolImages.SECOND_KEY, NodeOptions.READ_ONLY).close();
    }
    if (verdict == null && images.kind().isRaw()) {
      verdict = verdictOnRaw(Objects.requireNonNull(contents.get(ToolImages.DATA)), promise);
    }
    if (verdict == null && operation.writesBelow() && images.isBaseQcow2()) {
      verdict = verdictBelow();
    }
    return verdict == null ? verdictOnSnapshots(below) : verdict;
  }

  private boolean isExpectedBelow(String name) {
    if (!images.isBacked()) {
      return name.isEmpty();
    }
    return name.equals(ChainOperations.FIRST)
        || switch (operation) {
          case REBASE, REBASE_PACKED -> name.equals(ChainOperations.SECOND);
          case REBASE_UNSAFE -> name.equals(ChainOperations.THIRD);
          case REBASE_AWAY -> name.isEmpty();
          default -> false;
        };
  }

  /** Somebody who has had the key to be replaced may have the new one. */
  private CrashImage openWithSomeKey(String prefix, @Nullable String below, NodeOptions options)
      throws BlockException {
    try {
      return images.open(prefix, below, ToolImages.FIRST_KEY, options);
    } catch (BlockException e) {
      if (operation != ToolOperation.AMEND_REPLACE_KEY) {
        throw e;
      }
      return images.open(prefix, below, ToolImages.SECOND_KEY, options);
    }
  }

  private @Nullable String verdict(CrashImage image, boolean old, DiskStates promise)
      throws BlockException {
    Set<String> lost = new HashSet<>(bitmapsSurely);
    for (DirtyBitmap bitmap : image.bitmaps()) {
      lost.remove(String.valueOf(bitmap.name()));
      Set<String> known = bitmapContents.get(String.valueOf(bitmap.name()));
      if (known == null || !bitmap.isInconsistent() && !known.contains(contentOf(bitmap))) {
        return "LOST BITMAP " + bitmap.name();
      }
    }
    if (!lost.isEmpty()) {
      return "LOST BITMAPS " + lost;
    }
    List<String> lines = new ArrayList<>();
    CheckReport report = image.check(lines::add);
    if (report.checkErrors() > 0 || report.corruptions() > (old ? harmless(lines) : 0)) {
      return "CORRUPT " + lines;
    }
    String violation = promise.violatedBy(image.readAll());
    return violation == null ? null : "LOST DATA " + violation;
  }

  /** See {@link Qcow2Crash}: an old image cannot say that its flags do not fit its counts. */
  private static long harmless(List<String> lines) {
    return lines.stream()
        .filter(line -> line.contains("OFLAG_COPIED") && line.endsWith("refcount=1"))
        .count();
  }

  private static @Nullable String verdictOnRaw(byte[] data, DiskStates promise) {
    String violation = promise.violatedBySectors(data);
    return violation == null ? null : "LOST RAW DATA " + violation;
  }

  private @Nullable String verdictBelow() throws BlockException {
    CrashImage base = images.openBelow(ChainOperations.FIRST, CRASHED);
    try {
      List<String> lines = new ArrayList<>();
      CheckReport report = base.check(lines::add);
      boolean sound = report.checkErrors() == 0 && report.corruptions() == 0;
      return sound ? null : "CORRUPT BELOW " + lines;
    } finally {
      base.close();
    }
  }

  private @Nullable String verdictOnSnapshots(String below) throws BlockException {
    Set<String> left = new HashSet<>(keptSurely);
    for (Map.Entry<String, byte[]> each : kept.entrySet()) {
      CrashImage image =
          openWithSomeKey(CRASHED, below.isEmpty() ? null : below, NodeOptions.READ_ONLY);
      try {
        InternalSnapshots.Snapshot found = image.snapshots().find(null, each.getKey());
        if (found != null) {
          left.remove(each.getKey());
          // With another image below, a snapshot shows another disk.
          boolean same = !operation.isOfChain();
          image.snapshots().showSnapshot(found.id());
          byte[] seen = image.readAll();
          int end = Math.min(seen.length, each.getValue().length); // it shows the image's size
          if (same && Arrays.mismatch(seen, 0, end, each.getValue(), 0, end) >= 0) {
            return "LOST DATA OF SNAPSHOT " + each.getKey();
          }
        }
      } finally {
        image.close();
      }
    }
    return left.isEmpty() ? null : "LOST SNAPSHOTS " + left;
  }
}
