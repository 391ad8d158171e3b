package org.tinamou.testkit.crash;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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
import org.tinamou.base.Errno;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckReport;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
import org.tinamou.qapi.OptionException;

/**
 * Does one or two operations to a qcow2 image, cuts the power at every point, and judges what is
 * left: no corruption, and everything there that was flushed.
 */
public final class Qcow2Crash {
  private static final List<List<CrashOperation>> SEQUENCES = CrashOperation.sequences();
  private static final List<List<CrashOperation>> MORE_SEQUENCES = CrashOperation.moreSequences();
  private static final long MOST_DISK_BYTES = 16L << 20;

  /** What went wrong. */
  public static final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    Failure(String message) {
      super(message);
    }
  }

  /** Sees the file as each power cut left it. */
  @FunctionalInterface
  public interface Observer {
    /** The default: looks away. */
    Observer NONE = (name, content) -> {};

    void see(String name, byte[] content) throws Exception;
  }

  private final AioContext context;
  private final SeededRandom random;
  private final CrashConfig config;
  private final List<CrashOperation> sequence;
  private final Observer observer;
  private final RecordedType files;
  private final GuestModel model;
  private final ChainOperations chain;
  private final Journal journal = new Journal();

  /** What the bitmap that was there at the beginning may hold where it says that it is sound. */
  private final Set<String> bitmapContents = new HashSet<>();

  private final Map<String, GuestModel.Kept> kept = new HashMap<>();
  private final List<String> story = new ArrayList<>();
  private int states;

  private Qcow2Crash(
      AioContext context, long seed, SeededRandom random, Observer observer, boolean more) {
    this.context = context;
    this.random = random;
    this.observer = observer;
    List<List<CrashOperation>> sequences = more ? MORE_SEQUENCES : SEQUENCES;
    this.sequence = sequences.get((int) Math.floorMod(seed, (long) sequences.size()));
    CrashConfig drawn = more ? CrashConfig.drawMore(random) : CrashConfig.draw(random);
    boolean ofChain = sequence.stream().anyMatch(CrashOperation::isOfChain);
    this.config = ofChain ? drawn.onBacking() : drawn;
    this.files = new RecordedType(random.fork());
    long below = config.backed() ? config.usedBytes() - GuestModel.SECTOR_BYTES : 0;
    this.model = new GuestModel(MOST_DISK_BYTES, config.diskBytes(), below);
    ChainOperations.putBelow(files, (int) below);
    this.chain = new ChainOperations(context, files, random.fork());
  }

  /**
   * Plays one seed: its number names the sequence, everything else is drawn.
   *
   * @return how many states were judged
   * @throws Failure with all that is needed to understand it
   */
  @InCoroutine
  public static int play(AioContext context, long seed, SeededRandom random, Observer observer)
      throws Exception {
    return new Qcow2Crash(context, seed, random, observer, false).run();
  }

  /** The same with more operations, and on images of which parts of clusters are told apart. */
  @InCoroutine
  public static int playMore(AioContext context, long seed, SeededRandom random, Observer observer)
      throws Exception {
    return new Qcow2Crash(context, seed, random, observer, true).run();
  }

  private int run() throws Exception {
    prepare();
    journal.follow("image", files.file("image"));
    if (sequence.contains(CrashOperation.COMMIT)) {
      journal.follow(ChainOperations.FIRST, files.file(ChainOperations.FIRST));
    }
    mark();
    CrashImage image = open("image", ChainOperations.FIRST, NodeOptions.READ_WRITE);
    files.setYielding(config.concurrent());
    files.failOnce(config.failAt());
    try {
      if (config.concurrent()) {
        List<AioContext.Forked<Boolean>> all = new ArrayList<>();
        for (CrashOperation operation : sequence) {
          CrashOperation.Range range = operation.draw(random, config);
          all.add(
              context.fork(
                  operation.name(),
                  () -> {
                    attempt(image, operation, range);
                    return true;
                  }));
        }
        for (AioContext.Forked<Boolean> each : all) {
          each.join();
        }
      } else {
        for (CrashOperation operation : sequence) {
          attempt(image, operation, operation.draw(random, config));
        }
      }
    } finally {
      files.setYielding(false);
      files.failOnce(0);
      noteBitmap(image);
      image.close();
    }
    if (sequence.stream().anyMatch(CrashOperation::isOfChain)) {
      kept.clear(); // what is below shows through them, too
    }
    new CrashStates(journal, random.fork(), this::judge).visitAll();
    return states;
  }

  /** An image with some of everything. */
  private void prepare() throws BlockException {
    files.put("image", new RecordedFile(new byte[0]));
    CrashImage file = CrashImage.openFile(context, files, "image");
    Qcow2Creator.create(file.backend(), config.request());
    file.close();
    CrashImage image = open("image", ChainOperations.FIRST, NodeOptions.READ_WRITE);
    int content = model.newContent();
    long quarter = config.usedBytes() / 4;
    write(image, 0, quarter, content, RequestFlags.NONE);
    write(image, quarter, quarter, content, RequestFlags.COMPRESSED);
    write(image, 3 * quarter, quarter / 2, content, RequestFlags.NONE);
    if (config.version3()) {
      image.backend().writeZeroes(3 * quarter, quarter / 2, RequestFlags.NONE);
      model.write(3 * quarter, quarter / 2, GuestModel.ZERO, true);
    }
    fill(image, 4 * quarter, content);
    image.backend().flush();
    model.flushed(model.beforeFlush());
    // An image that keeps nothing beside the disk is emptied in another way.
    boolean plain = sequence.stream().anyMatch(CrashOperation::isEmptying) && random.nextInt(4) > 0;
    boolean keeps = config.refcountBits() > 2 && !plain;
    if (keeps && sequence.stream().anyMatch(CrashOperation::isOfImage)) {
      snapshot(image, "first");
      write(image, 0, quarter / 2, model.newContent(), RequestFlags.NONE);
      image.backend().flush();
      model.flushed(model.beforeFlush());
    }
    if (config.version3() && sequence.stream().anyMatch(CrashOperation::isOfBitmap)) {
      image.addBitmap(BitmapOperations.OLD);
      write(image, 0, GuestModel.SECTOR_BYTES, model.newContent(), RequestFlags.NONE);
      image.backend().flush();
      model.flushed(model.beforeFlush());
    }
    noteBitmap(image);
    image.close();
  }

  private CrashImage open(String name, String below, NodeOptions options) throws BlockException {
    return CrashImage.open(context, files, name, below, config, options);
  }

  private void noteBitmap(CrashImage image) {
    DirtyBitmap bitmap = BitmapOperations.old(image);
    if (bitmap != null) {
      bitmapContents.add(bitmap.sizeBytes() + " " + bitmap.sha256());
    }
  }

  private void snapshot(CrashImage image, String name) throws BlockException {
    if (config.isCertain() || name.equals("first")) {
      kept.put(name, model.keep());
    }
    try {
      image.snapshots().createSnapshot(name, 0, 0, 0);
    } catch (BlockException e) {
      kept.remove(name);
      if (e.errno() != Errno.EINVAL) {
        throw e;
      }
      story.add("too narrow counts");
    }
  }

  /** Writes until the file has so many clusters. */
  private void fill(CrashImage image, long start, int content) throws BlockException {
    int cluster = config.clusterBytes();
    long wanted = (long) config.filled() * cluster;
    RecordedFile file = files.file("image");
    for (long at = start; file.size() < wanted && at < config.diskBytes(); at += cluster) {
      write(image, at, cluster, content, RequestFlags.NONE);
      if (wanted - file.size() < 16L * cluster) {
        image.backend().flush(); // tables take clusters, too
      }
    }
  }

  private void write(CrashImage image, long offset, long length, int content, int flags)
      throws BlockException {
    model.write(offset, length, content, true);
    image.write(offset, length, content, flags);
  }

  private void attempt(CrashImage image, CrashOperation operation, CrashOperation.Range range)
      throws BlockException {
    try {
      apply(image, operation, range);
    } catch (BlockException e) {
      if (config.failAt() == 0) {
        throw e;
      }
      story.add(operation + " failed: " + e.getMessage());
    }
  }

  private void apply(CrashImage image, CrashOperation operation, CrashOperation.Range range)
      throws BlockException {
    story.add(operation + " " + range);
    boolean alone = config.isCertain();
    switch (operation) {
      case ALLOCATE, OVERWRITE, COPY_ON_WRITE, COMPRESSED -> {
        CrashOperation.Range inside = inside(range);
        if (inside == null) {
          return;
        }
        int content = model.newContent();
        boolean packed = operation == CrashOperation.COMPRESSED;
        model.write(inside.offset(), inside.length(), content, alone && !packed);
        mark();
        if (packed) {
          writePacked(image, inside, content);
        } else {
          image.write(inside.offset(), inside.length(), content, RequestFlags.NONE);
        }
      }
      case ZERO -> {
        CrashOperation.Range inside = inside(range);
        if (inside == null) {
          return;
        }
        int flags = random.nextBoolean() ? RequestFlags.MAY_UNMAP : RequestFlags.NONE;
        model.write(inside.offset(), inside.length(), GuestModel.ZERO, alone);
        mark();
        image.backend().writeZeroes(inside.offset(), inside.length(), flags);
      }
      case DISCARD -> {
        CrashOperation.Range inside = inside(range);
        if (inside == null) {
          return;
        }
        model.write(inside.offset(), inside.length(), GuestModel.ZERO, false);
        mark();
        image.backend().discard(inside.offset(), inside.length());
      }
      case MACHINE_STATE -> image.writeMachineState(range.offset(), range.length(), story.size());
      case RESIZE -> {
        if (!config.version3() && !image.snapshots().snapshots().isEmpty()) {
          return; // cannot be done to an old image
        }
        long size = Math.min(range.length(), MOST_DISK_BYTES);
        resize(image, size);
      }
      case FLUSH -> {
        long[] before = model.beforeFlush();
        image.backend().flush();
        if (alone) {
          model.flushed(before);
          mark();
        }
      }
      default -> applyToImage(image, operation);
    }
  }

  private void applyToImage(CrashImage image, CrashOperation operation) throws BlockException {
    boolean last = story.size() >= sequence.size() && sequence.getLast() == operation;
    if ((operation.isLast() && !last) || (operation.comesAlone() && config.concurrent())) {
      return;
    }
    InternalSnapshots snapshots = image.snapshots();
    boolean some = !snapshots.snapshots().isEmpty();
    switch (operation) {
      case SNAPSHOT -> {
        if (config.refcountBits() > 2) {
          snapshot(image, "second");
        }
      }
      case REVERT -> {
        if (some) {
          revert(image, snapshots.snapshots().getLast());
        }
      }
      case FORGET -> {
        if (some) {
          forget(snapshots);
        }
      }
      case EMPTY -> {
        model.empty();
        mark();
        image.overlay().makeEmpty();
      }
      case BITMAP -> {
        if (config.version3()) {
          image.addBitmap("bitmap " + story.size());
        }
      }
      case OLD_BITMAP -> BitmapOperations.change(image, random);
      case MERGE_BITMAPS -> BitmapOperations.merge(image);
      case ENABLE_BITMAP -> BitmapOperations.enable(image);
      case COMPACT -> compact(image);
      case COMMIT -> chain.commit(image);
      case REBASE -> chain.rebase(image);
      case STAND_ALONE -> chain.standAlone(image);
      case OTHER_NAME -> chain.otherName(image);
      default -> amend(image);
    }
  }

  private void forget(InternalSnapshots snapshots) throws BlockException {
    try {
      snapshots.deleteSnapshot(snapshots.snapshots().getFirst().id());
    } catch (BlockException e) {
      if (e.errno() != Errno.ENOENT || !config.concurrent()) {
        throw e;
      }
      story.add("forgotten by another one");
    }
  }

  private void revert(CrashImage image, InternalSnapshots.Snapshot last) throws BlockException {
    GuestModel.Kept content = kept.get(last.name());
    if (content == null) {
      return; // nobody knows whether it was made
    }
    GuestModel.Kept before = model.keep();
    if (config.isCertain()) {
      model.revert(content);
    } else {
      model.mayRevert(content);
    }
    mark();
    try {
      image.snapshots().applySnapshot(last.id());
    } catch (BlockException e) {
      if (e.errno() != Errno.EINVAL || !config.isCertain()) {
        throw e;
      }
      story.add("too narrow counts");
      model.revert(before);
      mark();
    } finally {
      model.hasSize(image.backend().lengthBytes());
    }
  }

  private void compact(CrashImage image) throws BlockException {
    long[] before = model.beforeFlush();
    image.backend().flush();
    if (config.isCertain()) {
      model.flushed(before);
      mark();
    }
    image.compactable().compact(false, (phase, done, total) -> {});
  }

  private void amend(CrashImage image) throws BlockException {
    boolean wide = config.refcountBits() < 64;
    String options =
        switch (random.nextInt(3)) {
          case 0 -> config.version3() ? "refcount_bits=" + (wide ? 64 : 32) : "compat=1.1";
          case 1 -> "lazy_refcounts=" + (config.lazyRefcounts() ? "off" : "on");
          default ->
              config.version3()
                  ? "compat=0.10,refcount_bits=16,lazy_refcounts=off"
                  : "compat=1.1,lazy_refcounts=on,refcount_bits=" + (wide ? 8 : 64);
        };
    try {
      image.amendable().amend(image.amendable().amendOptions().parse(options));
    } catch (OptionException e) {
      throw new IllegalStateException(options, e);
    } catch (BlockException e) {
      if (e.errno() != Errno.EINVAL && e.errno() != Errno.EOPNOTSUPP) {
        throw e;
      }
      story.add("refused: " + options + ": " + e.getMessage());
    }
  }

  /** Packed clusters replace nothing, so it may end somewhere in between. */
  private static void writePacked(CrashImage image, CrashOperation.Range range, int content)
      throws BlockException {
    try {
      image.write(range.offset(), range.length(), content, RequestFlags.COMPRESSED);
    } catch (BlockException e) {
      if (e.errno() != Errno.EIO) {
        throw e;
      }
    }
  }

  private void resize(CrashImage image, long size) throws BlockException {
    long before = model.size();
    boolean fill = size > before && size < 2 * config.diskBytes() && random.nextBoolean();
    model.resize(size);
    mark();
    try {
      image
          .backend()
          .truncate(size, true, fill ? PreallocationMode.METADATA : PreallocationMode.OFF);
    } catch (BlockException e) {
      if (e.errno() != Errno.EOPNOTSUPP || size < before) {
        throw e;
      }
      model.resize(before); // an old image cannot hide what is below its new part
    }
  }

  /** The part of a range that is inside of the disk; null if there is none. */
  private CrashOperation.@Nullable Range inside(CrashOperation.Range range) {
    long length = Math.min(range.length(), model.size() - range.offset());
    return length <= 0 ? null : new CrashOperation.Range(range.offset(), length);
  }

  private void mark() {
    journal.mark(model.promise());
  }

  private void judge(String name, Map<String, byte[]> contents, DiskPromise promise)
      throws Exception {
    states++;
    byte[] content = Objects.requireNonNull(contents.get("image"));
    byte[] below = contents.get(ChainOperations.FIRST);
    observer.see(name, content);
    files.put("crashed", new RecordedFile(content));
    String standsOn = backingName(content);
    boolean none = standsOn.isEmpty() && sequence.contains(CrashOperation.STAND_ALONE);
    if (config.backed() && !none && !ChainOperations.NAMES.contains(standsOn)) {
      throw new Failure(
          "LOST NAME %s, %s: %s (%s)"
              .formatted(standsOn.replaceAll("[^!-~]", "?"), name, story, config));
    }
    RecordedFile real = files.file(ChainOperations.FIRST);
    if (below != null) {
      files.put(ChainOperations.FIRST, new RecordedFile(below));
    }
    String verdict = verdict(standsOn, promise);
    files.put(ChainOperations.FIRST, real);
    if (verdict != null) {
      throw new Failure("%s, %s: %s (%s)".formatted(verdict, name, story, config));
    }
    if (states % 16 == 0) {
      Coroutine.yieldNow();
    }
  }

  /** As the header has it. */
  static String backingName(byte[] content) {
    ByteBuffer header = ByteBuffer.wrap(Arrays.copyOf(content, Math.max(content.length, 512)));
    long offset = header.getLong(8);
    int length = header.getInt(16);
    boolean inside = offset > 0 && length > 0 && offset + length <= content.length;
    return inside ? new String(content, (int) offset, length, StandardCharsets.UTF_8) : "";
  }

  private @Nullable String verdict(String below, DiskPromise promise) {
    try {
      CrashImage image =
          open("crashed", below, repairs() ? NodeOptions.READ_WRITE : NodeOptions.READ_ONLY);
      try {
        DirtyBitmap bitmap = BitmapOperations.old(image);
        if (bitmap != null
            && !bitmap.isInconsistent()
            && !bitmapContents.contains(bitmap.sizeBytes() + " " + bitmap.sha256())) {
          return "LOST BITMAP";
        }
        List<String> lines = new ArrayList<>();
        CheckReport report = image.check(lines::add);
        if (report.checkErrors() > 0 || report.corruptions() > harmless(lines)) {
          return "CORRUPT " + lines;
        }
        byte[] disk = image.readAll();
        String violation = promise.violatedBy(disk);
        if (violation != null) {
          return "LOST DATA " + violation;
        }
      } finally {
        image.close();
      }
      return kept.isEmpty() ? null : keptVerdict();
    } catch (BlockException e) {
      return "UNREADABLE " + e.getMessage();
    }
  }

  /** Whether an image says itself that its counts have to be repaired. */
  private boolean repairs() {
    return config.lazyRefcounts()
        || (config.version3() && sequence.stream().anyMatch(CrashOperation::isOfImage));
  }

  /**
   * An old image cannot say that its flags do not fit its counts: then some clusters are copied
   * once more than would be needed, and that is all.
   */
  private long harmless(List<String> lines) {
    return config.version3()
        ? 0
        : lines.stream()
            .filter(line -> line.contains("OFLAG_COPIED") && line.endsWith("refcount=1"))
            .count();
  }

  private @Nullable String keptVerdict() throws BlockException {
    for (Map.Entry<String, GuestModel.Kept> each : kept.entrySet()) {
      CrashImage image = open("crashed", ChainOperations.FIRST, NodeOptions.READ_ONLY);
      try {
        InternalSnapshots.Snapshot found = image.snapshots().find(null, each.getKey());
        if (found == null) {
          continue;
        }
        image.snapshots().showSnapshot(found.id());
        String violation = each.getValue().violatedBy(model.contents(), image.readAll());
        if (violation != null) {
          return "LOST SNAPSHOT " + each.getKey() + " " + violation;
        }
      } finally {
        image.close();
      }
    }
    return null;
  }
}
