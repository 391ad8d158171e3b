package org.tinamou.testkit.crash;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.AmendableImage;
import org.tinamou.qapi.OptionException;
import org.tinamou.tools.image.ImageBitmaps;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.img.Committer;
import org.tinamou.tools.img.Rebaser;

/** What a tool does to an image that it has opened, and what may be found meanwhile. */
final class ToolActions {
  static final String NEW_SNAPSHOT = "new";
  static final String NEW_BITMAP = "new bitmap";
  private static final int SECTOR_BYTES = GuestModel.SECTOR_BYTES;

  private final ToolImages images;
  private final ToolFilling filling;
  private final SeededRandom random;
  private final Journal journal;

  /** The disks one of which is on the disk for good. */
  private List<byte[]> durable;

  /** What the guest sees now. */
  private byte[] disk;

  private @Nullable String refusal;

  ToolActions(
      ToolImages images, ToolFilling filling, SeededRandom random, Journal journal, byte[] disk) {
    this.images = images;
    this.filling = filling;
    this.random = random;
    this.journal = journal;
    this.disk = disk;
    this.durable = List.of(disk);
    mark(List.of());
  }

  /** What the guest has to see at the end. */
  byte[] disk() {
    return disk;
  }

  /** Why nothing was done, or null. */
  @Nullable String refusal() {
    return refusal;
  }

  /** Those disks and more may be found. */
  private void mark(List<byte[]> more) {
    List<byte[]> all = new ArrayList<>(durable);
    all.addAll(more);
    journal.mark(new DiskStates(all, durable.size() == 1));
  }

  /** Sectors of that disk may be found, too; it is what the guest sees. */
  private void maySee(byte[] next) {
    List<byte[]> all = new ArrayList<>(durable);
    all.add(next);
    durable = all;
    disk = next;
    journal.mark(new DiskStates(all, false));
  }

  private void flush(CrashImage image) throws BlockException {
    image.backend().flush();
    durable = List.of(disk);
    mark(List.of());
  }

  // ---------------------------------------------------------------------------------- the guest's

  private int[] range(int unit) {
    int units = disk.length / unit;
    int first = random.nextInt(units);
    int count = 1 + random.nextInt(Math.min(units - first, 1 + 3 * images.clusterBytes() / unit));
    return new int[] {first * unit, count * unit};
  }

  void write(CrashImage image) throws BlockException {
    int[] range = range(SECTOR_BYTES);
    byte[] data = filling.content(range[1]);
    byte[] next = disk.clone();
    System.arraycopy(data, 0, next, range[0], range[1]);
    maySee(next);
    image.writeBytes(range[0], data, 0, range[1], RequestFlags.NONE);
  }

  /** Writes, some of which a flush follows, before something else is done. */
  void writeBefore(CrashImage image) throws BlockException {
    write(image);
    if (random.nextBoolean()) {
      flush(image);
      write(image);
    }
  }

  private void writeMany(CrashImage image) throws BlockException {
    for (int i = 0; i < 6; i++) {
      write(image);
      if (random.nextInt(3) == 0) {
        flush(image);
      }
    }
    flush(image);
  }

  private void writePacked(CrashImage image) throws BlockException {
    int bytes = images.clusterBytes();
    for (int i = 0; i < 8; i++) {
      int at = random.nextInt(disk.length / bytes) * bytes;
      if (image.isAllocated(at, bytes)) {
        image.backend().discard(at, bytes);
        maySee(image.readAll());
      }
      byte[] data = filling.content(bytes);
      byte[] next = disk.clone();
      System.arraycopy(data, 0, next, at, bytes);
      maySee(next);
      try {
        image.writeBytes(at, data, 0, bytes, RequestFlags.COMPRESSED);
      } catch (BlockException e) {
        if (e.errno() != Errno.EIO) {
          throw e; // not that there is a cluster already
        }
        maySee(image.readAll());
      }
      if (random.nextInt(4) == 0) {
        flush(image);
      }
    }
  }

  /** A range reads as zeroes, or as what is below, or as before. */
  private void clear(CrashImage image, boolean discards) throws BlockException {
    for (int i = 0; i < 4; i++) {
      int[] range = range(discards ? images.clusterBytes() : SECTOR_BYTES);
      byte[] zero = disk.clone();
      Arrays.fill(zero, range[0], range[0] + range[1], (byte) 0);
      maySee(zero);
      if (discards) {
        maySee(belowIn(zero, range[0], range[1]));
        image.backend().discard(range[0], range[1]);
        maySee(image.readAll());
      } else {
        int flags = random.nextBoolean() ? RequestFlags.MAY_UNMAP : RequestFlags.NONE;
        image.backend().writeZeroes(range[0], range[1], flags);
      }
      if (random.nextInt(3) == 0) {
        flush(image);
      }
    }
  }

  private byte[] belowIn(byte[] zero, int from, int length) throws BlockException {
    byte[] shown = zero.clone();
    String name = images.below();
    if (name != null) {
      byte[] below = contentBelow(name);
      int end = Math.min(from + length, below.length);
      if (from < end) {
        System.arraycopy(below, from, shown, from, end - from);
      }
    }
    return shown;
  }

  private byte[] contentBelow(String name) throws BlockException {
    CrashImage below = images.openBelow(name, "");
    try {
      return below.readAll();
    } finally {
      below.close();
    }
  }

  // ----------------------------------------------------------------------------------- the tool's

  /** Does it to an open image. */
  void perform(ToolOperation operation, CrashImage image, Map<String, byte[]> kept)
      throws BlockException {
    OpenImage open = image.inTool();
    switch (operation) {
      case WRITE -> writeMany(image);
      case WRITE_PACKED -> writePacked(image);
      case WRITE_ZEROES -> clear(image, false);
      case DISCARD -> clear(image, true);
      case SNAPSHOT_CREATE -> {
        kept.put(NEW_SNAPSHOT, disk);
        attempt(() -> image.snapshots().createSnapshot(NEW_SNAPSHOT, 0, 0, 0));
      }
      case SNAPSHOT_APPLY -> applySnapshot(image, kept);
      case SNAPSHOT_DELETE -> deleteSnapshot(image);
      case GROW -> resize(open, PreallocationMode.OFF, true);
      case GROW_FILLED -> resize(open, PreallocationMode.METADATA, true);
      case SHRINK -> resize(open, PreallocationMode.OFF, false);
      case REBASE -> rebase(image, ChainOperations.SECOND, false);
      case REBASE_PACKED -> rebase(image, ChainOperations.SECOND, true);
      case REBASE_AWAY -> rebase(image, null, false);
      case REBASE_UNSAFE -> rename(image);
      case COMPACT ->
          attempt(
              () -> requireNonNull(open.compactable()).compact(false, (phase, done, all) -> {}));
      default -> {
        if (operation.isOfBitmaps()) {
          changeBitmap(operation, open);
        } else {
          amend(operation, open);
        }
      }
    }
  }

  /** Something that may be refused. */
  private interface Step {
    void run() throws BlockException;
  }

  private void attempt(Step step) throws BlockException {
    try {
      step.run();
    } catch (BlockException e) {
      if (e.errno() != Errno.EINVAL && e.errno() != Errno.EOPNOTSUPP) {
        throw e;
      }
      refusal = e.getMessage();
    }
  }

  private void applySnapshot(CrashImage image, Map<String, byte[]> kept) throws BlockException {
    if (kept.isEmpty()) {
      refusal = "no snapshot";
      return;
    }
    String name = List.copyOf(kept.keySet()).get(random.nextInt(kept.size()));
    byte[] next = requireNonNull(kept.get(name));
    mark(List.of(next));
    attempt(
        () ->
            image
                .snapshots()
                .applySnapshot(requireNonNull(image.snapshots().find(null, name)).id()));
    if (refusal == null) {
      disk = next;
    }
  }

  private void deleteSnapshot(CrashImage image) throws BlockException {
    if (image.snapshots().snapshots().isEmpty()) {
      refusal = "no snapshot";
      return;
    }
    attempt(() -> image.snapshots().deleteSnapshot(image.snapshots().snapshots().getFirst().id()));
  }

  /** What may be seen while the size changes. */
  private byte[] markSize(int size) throws BlockException {
    byte[] next = Arrays.copyOf(disk, size);
    List<byte[]> more = new ArrayList<>();
    for (byte[] each : durable) {
      more.add(Arrays.copyOf(each, size));
      if (size < each.length) {
        byte[] zero = each.clone();
        Arrays.fill(zero, size, each.length, (byte) 0);
        more.add(zero);
        more.add(belowIn(zero, size, each.length - size));
      }
    }
    List<byte[]> all = new ArrayList<>(durable);
    all.addAll(more);
    journal.mark(new DiskStates(all, durable.size() == 1 && size >= disk.length));
    return next;
  }

  private int drawSize(boolean grows) {
    int sectors = disk.length / SECTOR_BYTES;
    int other =
        grows
            ? sectors + 1 + random.nextInt(random.nextBoolean() ? sectors : 8 * sectors)
            : Math.max(1, random.nextInt(sectors));
    return other * SECTOR_BYTES;
  }

  private void resize(OpenImage image, PreallocationMode mode, boolean grows)
      throws BlockException {
    int size = drawSize(grows);
    byte[] next = markSize(size);
    attempt(() -> image.truncate(size, true, mode));
    disk = refusal == null ? next : disk;
  }

  private void rename(CrashImage image) throws BlockException {
    if (images.isBaseQcow2()) {
      attempt(() -> image.overlay().changeBacking(ChainOperations.FIRST, "qcow2"));
    } else {
      attempt(() -> image.overlay().changeBacking(ChainOperations.THIRD, "raw"));
    }
  }

  private void rebase(CrashImage image, @Nullable String other, boolean packed)
      throws BlockException {
    CrashImage before = images.openBelow(ChainOperations.FIRST, "");
    CrashImage after = other == null ? null : images.openBelow(other, "");
    try {
      OpenImage next = after == null ? null : after.inTool();
      new Rebaser(image.inTool(), before.inTool(), next, packed, ChainOperations.progress())
          .copyDifferences();
      durable = List.of(disk);
      mark(List.of());
      image.overlay().changeBacking(other, other == null ? null : "raw");
    } finally {
      before.close();
      if (after != null) {
        after.close();
      }
    }
  }

  /** Brings everything to the image below, and empties this one unless it is to be kept. */
  void commit(ToolImages.Pair both, boolean keeps) throws BlockException {
    OpenImage image = both.image().inTool();
    new Committer(image, both.base().inTool(), 1, ChainOperations.progress()).commit();
    if (!keeps) {
      both.image().overlay().makeEmpty();
      image.flush();
    }
  }

  private void changeBitmap(ToolOperation operation, OpenImage image) throws BlockException {
    ImageBitmaps bitmaps = image.bitmaps();
    switch (operation) {
      case BITMAP_ADD -> bitmaps.add(NEW_BITMAP, random.nextBoolean() ? 0 : 512);
      case BITMAP_REMOVE -> bitmaps.remove(bitmaps.get(ToolFilling.ENABLED));
      case BITMAP_CLEAR -> bitmaps.get(ToolFilling.ENABLED).clear();
      case BITMAP_ENABLE -> bitmaps.get(ToolFilling.DISABLED).enable();
      case BITMAP_DISABLE -> bitmaps.get(ToolFilling.ENABLED).disable();
      case BITMAP_MERGE_FROM -> mergeFrom(bitmaps);
      default -> {
        DirtyBitmap target = bitmaps.get(ToolFilling.DISABLED);
        target.merge(bitmaps.get(ToolFilling.ENABLED));
      }
    }
  }

  /** Some bitmaps of another image, into one that is there or that is new. */
  private void mergeFrom(ImageBitmaps bitmaps) throws BlockException {
    CrashImage source = images.openSource(NodeOptions.READ_ONLY);
    try {
      ImageBitmaps others = source.inTool().bitmaps();
      DirtyBitmap target =
          switch (random.nextInt(3)) {
            case 0 -> bitmaps.add(NEW_BITMAP, 512L << random.nextInt(3));
            case 1 -> bitmaps.get(ToolFilling.ENABLED);
            default -> bitmaps.get(ToolFilling.DISABLED);
          };
      int least = random.nextInt(ToolFilling.SOURCES.size());
      for (String name : ToolFilling.SOURCES.subList(0, least + 1)) {
        target.merge(others.get(name));
      }
    } finally {
      source.close();
    }
  }

  private void amend(ToolOperation operation, OpenImage image) throws BlockException {
    int width = images.refcountBits();
    boolean old = images.kind().isOld();
    boolean lazy = images.kind().isLazy();
    String options =
        switch (operation) {
          case AMEND_VERSION ->
              old
                  ? "compat=1.1" + (random.nextBoolean() ? ",refcount_bits=64" : "")
                  : "compat=0.10,refcount_bits=16,lazy_refcounts=off";
          case AMEND_WIDTH -> "refcount_bits=" + (width == 64 ? 16 : width * 2);
          case AMEND_LAZY -> "lazy_refcounts=" + (lazy ? "off" : "on");
          case AMEND_DATA_FILE ->
              images.kind().isRaw() && random.nextBoolean()
                  ? "data_file_raw=off"
                  : "data_file=other-" + "d".repeat(random.nextInt(60));
          case AMEND_ADD_KEY ->
              "encrypt.state=active,encrypt.new-secret=" + ToolImages.SECOND_KEY + slot();
          case AMEND_REPLACE_KEY ->
              "encrypt.state=active,encrypt.keyslot=0,encrypt.new-secret=" + ToolImages.SECOND_KEY;
          case AMEND_ERASE_KEY ->
              "encrypt.state=inactive,encrypt.old-secret=" + ToolImages.SECOND_KEY;
          default -> "size=" + drawSize(true);
        };
    AmendableImage amendable = requireNonNull(image.amendable());
    boolean force = operation == ToolOperation.AMEND_REPLACE_KEY;
    try {
      var values = amendable.amendOptions().parse(options);
      byte[] next = disk;
      if (operation == ToolOperation.AMEND_SIZE) {
        next = markSize(Math.toIntExact(values.size("size", 0)));
      }
      attempt(
          () -> {
            try {
              amendable.amend(values, force);
            } catch (OptionException e) {
              throw new IllegalStateException(options, e);
            }
          });
      disk = refusal == null ? next : disk;
    } catch (OptionException e) {
      throw new IllegalStateException(options, e);
    }
  }

  private String slot() {
    int slot = 1 + random.nextInt(LuksSlots.COUNT - 1);
    return random.nextBoolean() ? "" : ",encrypt.keyslot=" + slot;
  }

  /** An image with a second key, for whoever wants to erase it. */
  static void addSecondKey(ToolImages images) throws BlockException {
    CrashImage image = images.open(NodeOptions.READ_WRITE);
    try {
      String options = "encrypt.state=active,encrypt.new-secret=" + ToolImages.SECOND_KEY;
      image.amendable().amend(image.amendable().amendOptions().parse(options));
    } catch (OptionException e) {
      throw new IllegalStateException(e);
    } finally {
      image.close();
    }
  }
}
