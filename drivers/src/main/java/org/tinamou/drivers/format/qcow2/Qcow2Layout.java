package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.HeapBytes;

/**
 * An empty image: header, table of counts, one block of counts, first-level table, in this order,
 * as the reference lays them out.
 */
final class Qcow2Layout {
  private static final int REFCOUNT_TABLE_CLUSTER = 1;
  private static final int FIRST_LEVEL_CLUSTER = 3;

  /**
   * What a new image is to be.
   *
   * @param version 2 or 3
   * @param capacityBytes how long it can become without a longer first-level table
   * @param backingName null for none
   * @param backingFormat null for none
   * @param dataFile the file for the guest's clusters; null for none
   * @param rawDataFile whether that one shows the disk by itself
   */
  record Plan(
      Geometry geometry,
      int version,
      long sizeBytes,
      long capacityBytes,
      boolean lazyRefcounts,
      int compressionType,
      @Nullable String backingName,
      @Nullable String backingFormat,
      @Nullable String dataFile,
      boolean rawDataFile) {

    private long incompatible() {
      return (compressionType == Qcow2Header.COMPRESSION_ZSTD
              ? Features.INCOMPATIBLE_COMPRESSION
              : 0)
          | (geometry.extended() ? Features.INCOMPATIBLE_EXTENDED_L2 : 0)
          | (dataFile != null ? Features.INCOMPATIBLE_DATA_FILE : 0);
    }
  }

  private Qcow2Layout() {}

  /**
   * Writes an empty image to an empty file. It is complete once this returns.
   *
   * @param target the file, which may be written and grow
   */
  @InCoroutine
  static void write(BlockBackend target, Plan plan) throws BlockException {
    Geometry geometry = plan.geometry();
    long entries = geometry.firstLevelEntries(plan.capacityBytes());
    long firstLevelClusters = geometry.clustersOf(entries * Geometry.ENTRY_BYTES);
    long used = FIRST_LEVEL_CLUSTER + firstLevelClusters;
    // Small clusters may need more blocks to count a large first level, and more room to list them.
    long blocks = 1;
    long tableClusters = 1;
    while (true) {
      long total = used + blocks - 1 + tableClusters - 1;
      long neededBlocks = (total + geometry.refcountsPerBlock() - 1) / geometry.refcountsPerBlock();
      long neededTable = geometry.clustersOf(neededBlocks * Geometry.ENTRY_BYTES);
      if (neededBlocks <= blocks && neededTable <= tableClusters) {
        break;
      }
      blocks = Math.max(blocks, neededBlocks);
      tableClusters = Math.max(tableClusters, neededTable);
    }
    long firstBlock = REFCOUNT_TABLE_CLUSTER + tableClusters;
    long firstLevel = firstBlock + blocks;
    // What has no entries has no place either: it gets one when the disk becomes longer.
    long named = entries == 0 ? 0 : firstLevel;
    byte[] head = header(plan, (int) entries, named, (int) tableClusters);
    long[] table = new long[(int) (tableClusters * geometry.countEntriesPerCluster())];
    for (int i = 0; i < blocks; i++) {
      table[i] = firstBlock + i << geometry.clusterBits();
    }
    put(
        target,
        (long) REFCOUNT_TABLE_CLUSTER << geometry.clusterBits(),
        HeapBytes.bigEndian(table));
    writeCounts(target, geometry, firstBlock, blocks, firstLevel + firstLevelClusters);
    if (entries > 0) {
      byte[] empty = new byte[(int) (entries * Geometry.ENTRY_BYTES)];
      put(target, firstLevel << geometry.clusterBits(), empty);
    }
    put(target, 0, Arrays.copyOf(head, geometry.clusterBytes()));
  }

  /** The table of names is left out where there is no room for it. */
  private static byte[] header(
      Plan plan, int firstLevelEntries, long firstLevelCluster, int tableClusters)
      throws BlockException {
    String name = plan.backingName();
    int nameBytes = name == null ? 0 : name.getBytes(StandardCharsets.UTF_8).length;
    byte[] full = null;
    byte[] least = null;
    if (nameBytes <= Qcow2Header.MAX_BACKING_NAME_BYTES) {
      full = header(plan, firstLevelEntries, firstLevelCluster, tableClusters, true).serialise();
      least = header(plan, firstLevelEntries, firstLevelCluster, tableClusters, false).serialise();
    }
    if (full == null && least == null) {
      Errno errno = nameBytes <= Qcow2Header.MAX_BACKING_NAME_BYTES ? Errno.ENOSPC : Errno.EINVAL;
      String format = plan.backingFormat();
      throw BlockException.of(
          errno,
          "Could not assign backing file '"
              + name
              + "'"
              + (format == null ? "" : " with format '" + format + "'"));
    }
    return full != null ? full : Objects.requireNonNull(least);
  }

  private static Qcow2Header header(
      Plan plan,
      int firstLevelEntries,
      long firstLevelCluster,
      int tableClusters,
      boolean withNames) {
    Geometry geometry = plan.geometry();
    boolean v3 = plan.version() >= 3;
    List<HeaderExtension> extensions = new ArrayList<>();
    String format = plan.backingFormat();
    if (format != null) {
      extensions.add(
          new HeaderExtension(
              HeaderExtension.BACKING_FORMAT, format.getBytes(StandardCharsets.UTF_8)));
    }
    String dataFile = plan.dataFile();
    if (dataFile != null) {
      extensions.add(
          new HeaderExtension(
              HeaderExtension.DATA_FILE, dataFile.getBytes(StandardCharsets.UTF_8)));
    }
    if (v3 && withNames) {
      extensions.add(Features.names());
    }
    return new Qcow2Header(
        plan.version(),
        geometry,
        plan.sizeBytes(),
        0,
        firstLevelEntries,
        firstLevelCluster << geometry.clusterBits(),
        (long) REFCOUNT_TABLE_CLUSTER << geometry.clusterBits(),
        tableClusters,
        0,
        0,
        plan.incompatible(),
        plan.lazyRefcounts() ? Features.COMPATIBLE_LAZY_REFCOUNTS : 0,
        plan.rawDataFile() ? Features.AUTOCLEAR_RAW_DATA_FILE : 0,
        v3 ? Qcow2Header.FULL_BYTES : Qcow2Header.V2_BYTES,
        plan.compressionType(),
        plan.backingName(),
        extensions);
  }

  private static void writeCounts(
      BlockBackend target, Geometry geometry, long firstBlock, long blocks, long counted)
      throws BlockException {
    byte[] block = new byte[geometry.clusterBytes()];
    MemorySegment memory = MemorySegment.ofArray(block);
    for (long i = 0; i < blocks; i++) {
      memory.fill((byte) 0);
      long first = i * geometry.refcountsPerBlock();
      long end = Math.min(counted, first + geometry.refcountsPerBlock());
      for (long cluster = first; cluster < end; cluster++) {
        Refcounts.write(memory, (int) (cluster - first), geometry.refcountOrder(), 1);
      }
      put(target, firstBlock + i << geometry.clusterBits(), block);
    }
  }

  private static void put(BlockBackend target, long offset, byte[] bytes) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(bytes.length);
      MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
      long end = offset + bytes.length;
      if (target.lengthBytes() < end) {
        target.truncate(end, false, PreallocationMode.OFF);
      }
      target.write(offset, IoVector.of(memory), RequestFlags.NONE);
    }
  }
}
