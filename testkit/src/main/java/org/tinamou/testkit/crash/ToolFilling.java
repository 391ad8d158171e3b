package org.tinamou.testkit.crash;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinamou.base.Errno;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.InternalSnapshots;

/** Fills an image with some of everything before a tool comes. */
final class ToolFilling {
  static final String ENABLED = "enabled";
  static final String DISABLED = "disabled";

  /** In the other image whose bitmaps are merged. */
  static final List<String> SOURCES = List.of("enabled", "other");

  private static final String JUNK = "junk ";
  private static final int SECTOR_BYTES = GuestModel.SECTOR_BYTES;
  private static final int PATTERNS = 200;

  private final ToolImages images;
  private final SeededRandom random;
  private final Map<String, byte[]> kept = new LinkedHashMap<>();

  ToolFilling(ToolImages images, SeededRandom random) {
    this.images = images;
    this.random = random;
  }

  /** What each snapshot shows. */
  Map<String, byte[]> kept() {
    return kept;
  }

  /** Fills the image and closes it. */
  void fill(ToolOperation operation) throws BlockException {
    ToolKind kind = images.kind();
    boolean holes = operation == ToolOperation.COMPACT;
    if (holes && !kind.isOld()) {
      addJunk();
    }
    CrashImage image = images.open(NodeOptions.READ_WRITE);
    List<Integer> clusters = new ArrayList<>();
    for (int i = 0; i < images.filledBytes() / images.clusterBytes(); i++) {
      clusters.add(i);
    }
    shuffle(clusters);
    boolean bitmaps = !kind.isOld() && (operation.isOfBitmaps() || random.nextInt(3) == 0);
    // The machine's snapshot cannot be gone back to where there are bitmaps.
    bitmaps &= operation != ToolOperation.SNAPSHOT_APPLY;
    if (bitmaps) {
      image.addBitmap(ENABLED);
      image.addBitmap(DISABLED);
    }
    int most = clusters.size();
    write(image, clusters.subList(0, most * 2 / 3));
    image.backend().flush();
    if (bitmaps) {
      bitmap(image, DISABLED).disable();
    }
    boolean fixed = kind.isOld() && operation.changesSize();
    boolean snapshots =
        kind.mayHaveSnapshots()
            && !fixed
            && images.refcountBits() > 1
            && (operation.isOfSnapshots() || random.nextBoolean());
    if (snapshots) {
      snapshot(image, "one");
      write(image, clusters.subList(most / 3, most * 2 / 3));
      if (images.refcountBits() > 2 && random.nextBoolean()) {
        snapshot(image, "two");
      }
    }
    zeroAndDiscard(image, clusters);
    image.backend().flush();
    write(image, clusters.subList(most / 2, most * 3 / 4));
    zeroAndDiscard(image, clusters);
    if (holes) {
      makeHoles(image, clusters);
    }
    image.backend().flush();
    image.close();
  }

  /** Takes room in front of everything that is to come. */
  private void addJunk() throws BlockException {
    CrashImage image = images.open(NodeOptions.READ_WRITE);
    for (int i = 0; i < 4; i++) {
      image.addBitmap(JUNK + i);
    }
    image.bitmaps().forEach(bitmap -> bitmap.mark(0, images.sizeBytes()));
    image.close();
  }

  /** Gives room back, in front of what stays. */
  private void makeHoles(CrashImage image, List<Integer> clusters) throws BlockException {
    for (DirtyBitmap bitmap : List.copyOf(image.bitmaps())) {
      if (String.valueOf(bitmap.name()).startsWith(JUNK)) {
        image.removeBitmap(bitmap);
      }
    }
    if (kept.size() > 1 && random.nextBoolean()) {
      InternalSnapshots.Snapshot first = image.snapshots().snapshots().getFirst();
      image.snapshots().deleteSnapshot(first.id());
      kept.remove(first.name());
    }
    for (int i = 0; i < clusters.size() / 2; i++) {
      if (random.nextInt(3) > 0) {
        image.backend().discard((long) i * images.clusterBytes(), images.clusterBytes());
      }
    }
  }

  private static DirtyBitmap bitmap(CrashImage image, String name) {
    return image.bitmaps().stream()
        .filter(each -> name.equals(each.name()))
        .findAny()
        .orElseThrow();
  }

  private void shuffle(List<Integer> clusters) {
    for (int i = clusters.size() - 1; i > 0; i--) {
      Collections.swap(clusters, i, random.nextInt(i + 1));
    }
  }

  private void snapshot(CrashImage image, String name) throws BlockException {
    if (random.nextInt(4) == 0) {
      image.writeMachineState(0, 3L * images.clusterBytes(), 7);
    }
    byte[] disk = image.readAll();
    try {
      image.snapshots().createSnapshot(name, 0, 0, 0);
      kept.put(name, disk);
    } catch (BlockException e) {
      if (e.errno() != Errno.EINVAL) {
        throw e; // not that the counts are too narrow for packed clusters
      }
    }
  }

  /** Writes to clusters, packed ones among them if there may be any. */
  private void write(CrashImage image, List<Integer> clusters) throws BlockException {
    ToolKind kind = images.kind();
    int bytes = images.clusterBytes();
    for (int cluster : clusters) {
      boolean packed = kind.mayPack() && random.nextInt(kind.isPacked() ? 8 : 3) != 0;
      if (packed && !kind.isPacked() && random.nextBoolean()) {
        packed = false;
      }
      if (packed) {
        writePacked(image, cluster);
      } else if (random.nextInt(6) == 0) {
        image.writeBytes((long) cluster * bytes, new byte[bytes], 0, bytes, RequestFlags.NONE);
      } else {
        byte[] data = content(bytes);
        int from = random.nextInt(4) == 0 ? random.nextInt(bytes / SECTOR_BYTES) * SECTOR_BYTES : 0;
        image.writeBytes(
            (long) cluster * bytes + from, data, from, bytes - from, RequestFlags.NONE);
      }
    }
  }

  private void writePacked(CrashImage image, int cluster) throws BlockException {
    int bytes = images.clusterBytes();
    try {
      image.writeBytes((long) cluster * bytes, content(bytes), 0, bytes, RequestFlags.COMPRESSED);
    } catch (BlockException e) {
      if (e.errno() != Errno.EIO) {
        throw e; // not that there is data already
      }
    }
  }

  /** Data of which a part is noise, so that pieces are packed to all lengths. */
  byte[] content(int bytes) {
    byte[] data = new byte[bytes];
    int noise = random.nextInt(bytes);
    int pattern = 1 + random.nextInt(PATTERNS);
    for (int i = 0; i < bytes; i++) {
      data[i] = (byte) (i < noise ? random.nextInt(256) : pattern + i / SECTOR_BYTES);
    }
    return data;
  }

  private void zeroAndDiscard(CrashImage image, List<Integer> clusters) throws BlockException {
    long bytes = images.clusterBytes();
    int unit = images.kind().isExtended() ? (int) bytes / 32 : (int) bytes;
    for (int i = 0; i < 4; i++) {
      long at = clusters.get(random.nextInt(clusters.size())) * bytes;
      switch (random.nextInt(4)) {
        case 0 -> image.backend().writeZeroes(at, bytes, RequestFlags.NONE);
        case 1 -> image.backend().writeZeroes(at, unit, RequestFlags.MAY_UNMAP);
        default -> image.backend().discard(at, bytes);
      }
    }
  }
}
