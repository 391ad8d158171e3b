package org.tinamou.testkit.crash;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
import org.tinamou.qapi.OptionException;

/**
 * Does one or two operations to a qcow2 image, cuts the power at every point, and judges what is
 * left: no corruption, and everything there that was flushed.
 */
public final class Qcow2Crash {
  private static final List<List<CrashOperation>> SEQUENCES = CrashOperation.sequences();
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
  private final Map<String, GuestModel.Kept> kept = new HashMap<>();
  private final List<String> story = new ArrayList<>();
  private int states;

  private Qcow2Crash(AioContext context, long seed, SeededRandom random, Observer observer) {
    this.context = context;
    this.random = random;
    this.observer = observer;
    this.sequence = SEQUENCES.get((int) Math.floorMod(seed, (long) SEQUENCES.size()));
    this.config = CrashConfig.draw(random);
    this.files = new RecordedType(random.fork());
    long below = config.backed() ? config.usedBytes() - GuestModel.SECTOR_BYTES : 0;
    this.model = new GuestModel(MOST_DISK_BYTES, config.diskBytes(), below);
    byte[] backing = new byte[(int) below];
    for (int i = 0; i < backing.length; i++) {
      backing[i] = GuestModel.byteAt(GuestModel.BACKING, i);
    }
    files.put("backing", new RecordedFile(backing));
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
    return new Qcow2Crash(context, seed, random, observer).run();
  }

  private int run() throws Exception {
    prepare();
    RecordedFile file = files.file("image");
    byte[] base = file.content();
    file.settle();
    file.mark(model.promise());
    CrashImage image = CrashImage.open(context, files, "image", config, NodeOptions.READ_WRITE);
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
      image.close();
    }
    new CrashStates(base, file.events(), random.fork(), this::judge).visitAll();
    return states;
  }

  /** An image with some of everything. */
  private void prepare() throws BlockException {
    files.put("image", new RecordedFile(new byte[0]));
    CrashImage file = CrashImage.openFile(context, files, "image");
    Qcow2Creator.create(file.backend(), config.request());
    file.close();
    CrashImage image = CrashImage.open(context, files, "image", config, NodeOptions.READ_WRITE);
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
    if (config.refcountBits() > 2 && sequence.stream().anyMatch(CrashOperation::isOfImage)) {
      snapshot(image, "first");
      write(image, 0, quarter / 2, model.newContent(), RequestFlags.NONE);
      image.backend().flush();
      model.flushed(model.beforeFlush());
    }
    image.close();
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
      case SNAPSHOT, REVERT, FORGET, EMPTY, BITMAP, AMEND, COMPACT ->
          applyToImage(image, operation);
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
    }
  }

  private void applyToImage(CrashImage image, CrashOperation operation) throws BlockException {
    InternalSnapshots snapshots = image.snapshots();
    boolean some = !snapshots.snapshots().isEmpty();
    switch (operation) {
      case SNAPSHOT -> {
        if (config.refcountBits() > 2) {
          snapshot(image, "second");
        }
      }
      case REVERT -> {
        if (some && config.isCertain()) {
          InternalSnapshots.Snapshot last = snapshots.snapshots().getLast();
          revert(snapshots, last);
        }
      }
      case FORGET -> {
        if (some) {
          snapshots.deleteSnapshot(snapshots.snapshots().getFirst().id());
        }
      }
      case EMPTY -> {
        model.empty();
        mark();
        image.overlay().makeEmpty();
      }
      case BITMAP -> {
        if (config.version3() && config.isCertain()) {
          image.addBitmap("bitmap " + story.size());
        }
      }
      case COMPACT -> compact(image);
      default -> amend(image);
    }
  }

  private void revert(InternalSnapshots snapshots, InternalSnapshots.Snapshot last)
      throws BlockException {
    GuestModel.Kept before = model.keep();
    model.revert(Objects.requireNonNull(kept.get(last.name())));
    mark();
    try {
      snapshots.applySnapshot(last.id());
    } catch (BlockException e) {
      if (e.errno() != Errno.EINVAL) {
        throw e;
      }
      story.add("too narrow counts");
      model.revert(before);
      mark();
    }
  }

  /** Afterwards the image has to be opened anew, so it comes last. */
  private void compact(CrashImage image) throws BlockException {
    if (sequence.getLast() != CrashOperation.COMPACT
        || story.size() < sequence.size()
        || !config.isCertain()) {
      return;
    }
    long[] before = model.beforeFlush();
    image.backend().flush();
    model.flushed(before);
    mark();
    image.compactable().compact(false, (phase, done, total) -> {});
  }

  /** Afterwards the image has to be opened anew, so it comes last. */
  private void amend(CrashImage image) throws BlockException {
    if (sequence.getLast() != CrashOperation.AMEND
        || story.size() < sequence.size()
        || !config.isCertain()
        || !config.version3()) {
      return;
    }
    int bits = Math.max(config.refcountBits(), 8) == 64 ? 32 : 64;
    String options =
        random.nextBoolean()
            ? "refcount_bits=" + bits
            : "lazy_refcounts=" + (bits == 32 ? "on" : "off");
    try {
      image.amendable().amend(image.amendable().amendOptions().parse(options));
    } catch (OptionException e) {
      throw new IllegalStateException(options, e);
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
    files.file("image").mark(model.promise());
  }

  private void judge(String name, byte[] content, GuestModel.Promise promise) throws Exception {
    states++;
    observer.see(name, content);
    files.put("crashed", new RecordedFile(content));
    String verdict = verdict(promise);
    if (verdict != null) {
      throw new Failure("%s, %s: %s (%s)".formatted(verdict, name, story, config));
    }
    if (states % 16 == 0) {
      Coroutine.yieldNow();
    }
  }

  private @Nullable String verdict(GuestModel.Promise promise) {
    try {
      CrashImage image =
          CrashImage.open(
              context,
              files,
              "crashed",
              config,
              repairs() ? NodeOptions.READ_WRITE : NodeOptions.READ_ONLY);
      try {
        List<String> lines = new ArrayList<>();
        CheckReport report = image.check(lines::add);
        if (report.checkErrors() > 0 || report.corruptions() > harmless(lines)) {
          return "CORRUPT " + lines;
        }
        byte[] disk = image.readAll();
        String violation = promise.violatedBy(disk, disk.length);
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
      CrashImage image = CrashImage.open(context, files, "crashed", config, NodeOptions.READ_ONLY);
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
