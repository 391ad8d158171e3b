package org.tinamou.drivers.format.qcow2;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.ZeroMemory;
import org.tinamou.drivers.HeapBytes;
import org.tinamou.drivers.format.luks.LuksKeyChange;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionValues;

/**
 * Changes what an image was made with. Each step leaves an image that is whole; the step to another
 * width of counts, after which the image has to be opened anew, comes last but for a header.
 */
final class Amender {
  /** Changes the size. */
  @FunctionalInterface
  interface Resizer {
    void resize(long newSizeBytes) throws BlockException;
  }

  private static final List<String> AMENDABLE_KEYS = LuksKeyChange.schema("encrypt.").names();
  private static final int V2_REFCOUNT_ORDER = 4;
  private static final String ONLY_VERSION_3 = " (use compat=1.1 or greater)";

  private final boolean force;
  private final Qcow2Image image;
  private final Geometry geometry;
  private final WritePath writes;
  private final ClearPath clears;
  private final Resizer resizer;
  private final Consumer<String> complaints;

  /**
   * For an image.
   *
   * @param complaints told of what is wrong beside the error
   */
  Amender(
      boolean force,
      Qcow2Image image,
      WritePath writes,
      ClearPath clears,
      Resizer resizer,
      Consumer<String> complaints) {
    this.complaints = complaints;
    this.force = force;
    this.image = image;
    this.geometry = image.geometry();
    this.writes = writes;
    this.clears = clears;
    this.resizer = resizer;
  }

  /** What is asked for, as far as it differs from what there is. */
  private record Wish(
      int version, int refcountOrder, boolean lazy, long sizeBytes, @Nullable String dataFile) {}

  void amend(OptionValues values) throws BlockException, OptionException {
    Qcow2Header header = Qcow2Type.readHeader(image.file());
    Wish wish = wish(values, header);
    if (wish.version() > header.version()) {
      upgrade();
    }
    if (values.has("data_file") || values.has("data_file_raw")) {
      changeDataFile(header, wish.dataFile(), values);
    }
    if (AMENDABLE_KEYS.stream().anyMatch(values::has)) {
      changeKeys(values);
    }
    boolean lazyBefore = (header.compatible() & Features.COMPATIBLE_LAZY_REFCOUNTS) != 0;
    if (wish.lazy() != lazyBefore) {
      underLock(
          () -> {
            image.finish();
            long bit = Features.COMPATIBLE_LAZY_REFCOUNTS;
            change(
                now ->
                    now.withCompatible(
                        wish.lazy() ? now.compatible() | bit : now.compatible() & ~bit));
          });
    }
    if (wish.sizeBytes() != 0 && wish.sizeBytes() != header.sizeBytes()) {
      resizer.resize(wish.sizeBytes());
    }
    boolean downgrades = wish.version() < header.version();
    if (downgrades) {
      checkDowngrade(header);
      expandZeroes();
    }
    if (wish.refcountOrder() != geometry.refcountOrder()) {
      underLock(() -> changeWidth(wish.refcountOrder()));
    }
    if (downgrades) {
      underLock(this::downgrade);
    }
  }

  private void changeKeys(OptionValues values) throws BlockException, OptionException {
    Encryption encryption = image.encryption();
    if (encryption == null) {
      throw invalid("Can't amend encryption options - encryption not present");
    }
    encryption.amend(LuksKeyChange.of(values, "encrypt."), force);
  }

  /** Something done while nobody else changes tables. */
  @FunctionalInterface
  private interface Step {
    void run() throws BlockException;
  }

  private void underLock(Step step) throws BlockException {
    image.metadata().lock();
    try {
      step.run();
    } finally {
      image.metadata().unlock();
    }
  }

  private void change(UnaryOperator<Qcow2Header> change) throws BlockException {
    image.rewriteHeader(change);
  }

  private static BlockException invalid(String message) {
    return new BlockException(Errno.EINVAL, message);
  }

  private Wish wish(OptionValues values, Qcow2Header header)
      throws BlockException, OptionException {
    String compat = values.string("compat");
    int version =
        switch (compat) {
          case null -> header.version();
          case "0.10", "v2" -> 2;
          case "1.1", "v3" -> 3;
          default -> throw invalid("Unknown compatibility level " + compat);
        };
    // Both have to be said, as they are.
    boolean backingChanges =
        (values.has("backing_file") || values.has("backing_fmt"))
            && (!Objects.equals(values.string("backing_file"), header.backingName())
                || !Objects.equals(values.string("backing_fmt"), header.backingFormat()));
    if (backingChanges) {
      throw new BlockException(Errno.EINVAL, "Cannot amend the backing file")
          .withHint("You can use 'qemu-img rebase' instead.");
    }
    long size = values.size("size", 0);
    boolean lazy =
        values.bool(
            "lazy_refcounts",
            (header.compatible() & Features.COMPATIBLE_LAZY_REFCOUNTS) != 0 && version >= 3);
    if (lazy && version < 3) {
      throw invalid(
          "Lazy refcounts only supported with compatibility level 1.1 and above" + ONLY_VERSION_3);
    }
    int order = geometry.refcountOrder();
    if (values.has("refcount_bits")) {
      long bits = values.number("refcount_bits", 0);
      order = Qcow2Creator.refcountOrder(bits, true);
      if (order != geometry.refcountOrder() && version < 3 && order != V2_REFCOUNT_ORDER) {
        throw invalid(
            "Refcount widths other than 16 bits require compatibility level 1.1 or above"
                + ONLY_VERSION_3);
      }
    }
    if (version < 3 && order != V2_REFCOUNT_ORDER) {
      throw invalid("compat=0.10 requires refcount_bits=16");
    }
    return new Wish(version, order, lazy, size, values.string("data_file"));
  }

  private void changeDataFile(Qcow2Header header, @Nullable String name, OptionValues values)
      throws BlockException, OptionException {
    boolean raw = (header.autoclear() & Features.AUTOCLEAR_RAW_DATA_FILE) != 0;
    boolean wantsRaw = values.bool("data_file_raw", raw);
    if (wantsRaw && !raw) {
      throw invalid("data-file-raw cannot be set on existing images");
    }
    if (name != null && !header.hasFeature(Features.INCOMPATIBLE_DATA_FILE)) {
      throw invalid("data-file can only be set for images that use an external data file");
    }
    underLock(
        () ->
            change(
                now -> {
                  List<HeaderExtension> extensions = now.extensions();
                  if (name != null) {
                    extensions = new ArrayList<>(now.extensionsWithout(HeaderExtension.DATA_FILE));
                    if (!name.isEmpty()) {
                      extensions.addFirst(HeaderExtension.text(HeaderExtension.DATA_FILE, name));
                    }
                  }
                  long bit = wantsRaw ? 0 : Features.AUTOCLEAR_RAW_DATA_FILE;
                  return now.with(extensions, now.autoclear() & ~bit);
                }));
  }

  private void upgrade() throws BlockException {
    underLock(
        () -> {
          image.writeBack();
          change(
              header -> {
                List<HeaderExtension> extensions =
                    new ArrayList<>(header.extensionsWithout(HeaderExtension.FEATURE_NAMES));
                Qcow2Header plain = header.withVersion(3, List.copyOf(extensions));
                extensions.add(Features.names());
                Qcow2Header named = header.withVersion(3, extensions);
                return named.serialise() == null ? plain : named;
              });
        });
  }

  private static void checkDowngrade(Qcow2Header header) throws BlockException {
    if (header.hasFeature(Features.INCOMPATIBLE_DATA_FILE)) {
      throw invalid("Cannot downgrade an image with a data file");
    }
    long left = header.incompatible() & ~Features.INCOMPATIBLE_DIRTY;
    if (left != 0) {
      throw invalid(
          "Cannot downgrade an image with incompatible features 0x"
              + Long.toHexString(left)
              + " set");
    }
  }

  /** Version 2 knows no clusters that read as zeroes. */
  private void expandZeroes() throws BlockException {
    underLock(this::checkSnapshots);
    underLock(this::refuseZeroesInSnapshots);
    try {
      expandZeroesOfDisk();
    } catch (BlockException e) {
      throw noZeroesExpanded(e);
    }
  }

  private static BlockException noZeroesExpanded(BlockException why) {
    return BlockException.of(why.errno(), "Failed to turn zero into data clusters");
  }

  private void checkSnapshots() throws BlockException {
    for (SnapshotTable.Snapshot snapshot : image.snapshots().snapshots()) {
      try {
        Snapshots.checkTable(image, snapshot);
      } catch (BlockException e) {
        complaints.accept(String.valueOf(e.getMessage()));
        throw noZeroesExpanded(e);
      }
    }
  }

  private void expandZeroesOfDisk() throws BlockException {
    long size = image.sizeBytes();
    for (long guest = 0; guest < size; guest += geometry.clusterBytes()) {
      Entry.Kind kind;
      image.metadata().lock();
      try {
        if (image.map().sliceOrNull(guest) == null) {
          guest += image.map().bytesLeftInTable(guest) - geometry.clusterBytes();
          continue;
        }
        kind = image.map().kind(image.map().entry(guest));
      } finally {
        image.metadata().unlock();
      }
      if (kind == Entry.Kind.ZERO_PLAIN || kind == Entry.Kind.ZERO_ALLOCATED) {
        long end = Math.min(size, guest + geometry.clusterBytes());
        if (image.backing() == null) {
          clears.clear(guest, guest + geometry.clusterBytes(), ClearPath.Clearing.FREE);
        } else {
          writes.write(guest, IoVector.of(ZeroMemory.ofSize(end - guest)));
        }
      }
    }
  }

  private void refuseZeroesInSnapshots() throws BlockException {
    image.writeBack();
    for (SnapshotTable.Snapshot snapshot : image.snapshots().snapshots()) {
      for (long entry : Snapshots.tableOf(image, snapshot)) {
        if (Entry.offset(entry) != 0 && hasZeroes(Entry.offset(entry))) {
          throw new BlockException(
              Errno.EOPNOTSUPP,
              "Snapshots with zero clusters are not supported by this version of Tinamou where an"
                  + " image becomes one of version 2");
        }
      }
    }
  }

  private boolean hasZeroes(long table) throws BlockException {
    for (long entry :
        HeapBytes.longs(HeapBytes.read(image.file(), table, geometry.clusterBytes()))) {
      Entry.Kind kind = Entry.kind(entry);
      if (kind == Entry.Kind.ZERO_PLAIN || kind == Entry.Kind.ZERO_ALLOCATED) {
        return true;
      }
    }
    return false;
  }

  private void downgrade() throws BlockException {
    image.finish();
    change(
        header -> header.withVersion(2, header.extensionsWithout(HeaderExtension.FEATURE_NAMES)));
    image.retire();
  }

  /** The present counts' own clusters are free in the new ones. */
  private void changeWidth(int order) throws BlockException {
    image.finish();
    Qcow2Header header = Qcow2Type.readHeader(image.file());
    List<Long> blocks = new ArrayList<>();
    for (long entry : image.refcounts().table()) {
      if ((entry & Refcounts.OFFSET_MASK) != 0) {
        blocks.add(geometry.clusterIndex(entry & Refcounts.OFFSET_MASK));
      }
    }
    long firstOfTable = geometry.clusterIndex(image.refcounts().tableOffset());
    long endOfTable = firstOfTable + image.refcounts().tableClusters();
    Set<Long> own = new HashSet<>(blocks);
    long clusters = geometry.clustersOf(image.file().lengthBytes());
    RefcountBuilder.build(
        image.file(),
        header,
        order,
        clusters,
        cluster ->
            own.contains(cluster) || (cluster >= firstOfTable && cluster < endOfTable)
                ? 0
                : image.refcounts().get(cluster));
    image.retire();
  }
}
