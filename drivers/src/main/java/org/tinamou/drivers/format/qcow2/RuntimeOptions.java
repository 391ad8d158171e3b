package org.tinamou.drivers.format.qcow2;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/**
 * What can be said about an image when it is opened.
 *
 * @param lazyRefcounts whether counts may lag behind in the file
 * @param passedOn which clusters' space goes back to the host when they are free
 * @param keepsDiscarded whether discarded clusters keep their place
 * @param compressionLevel how much effort packing makes, or {@link ClusterCodec#USUAL_LEVEL}
 * @param overlapChecks what writes are kept away from
 * @param cleanIntervalSeconds how often unused parts of the caches are given back; 0 for never
 */
record RuntimeOptions(
    CacheSizes caches,
    boolean lazyRefcounts,
    Set<Freed> passedOn,
    boolean keepsDiscarded,
    int compressionLevel,
    Set<MetadataMap.Part> overlapChecks,
    long cleanIntervalSeconds) {
  private static final long USUAL_CLEAN_INTERVAL_SECONDS = 600;
  private static final List<String> OVERLAP_MODES = List.of("none", "constant", "cached", "all");
  private static final Set<String> CHANGEABLE =
      Set.of(
          "cache-size",
          "l2-cache-size",
          "l2-cache-entry-size",
          "refcount-cache-size",
          "cache-clean-interval",
          "lazy-refcounts",
          "overlap-check",
          "discard-no-unref",
          Freed.BY_REQUEST.option(),
          Freed.WITH_SNAPSHOT.option(),
          Freed.OTHERWISE.option());
  private static final int MIN_SLICE_BYTES = 512;
  private static final int MIN_REFCOUNT_BLOCKS = 4;
  private static final int MIN_SLICES = 2;

  /** Whether an option can change while an image is open. */
  static boolean canChange(String option) {
    return CHANGEABLE.contains(option) || option.startsWith("overlap-check.");
  }

  /**
   * Reads them.
   *
   * @param unmaps whether the image's discards reach the host
   */
  static RuntimeOptions read(OptionReader options, Qcow2Header header, boolean unmaps)
      throws OptionException, BlockException {
    Boolean lazy = options.boolOrNull("lazy-refcounts");
    if (Boolean.TRUE.equals(lazy) && !header.isVersion3()) {
      throw new BlockException(
          Errno.EINVAL,
          "Lazy refcounts require a qcow2 image with at least qemu 1.1 compatibility level");
    }
    Set<Freed> passedOn = EnumSet.noneOf(Freed.class);
    for (Freed why : Freed.values()) {
      boolean usual =
          switch (why) {
            case BY_REQUEST -> unmaps;
            case WITH_SNAPSHOT -> true;
            case OTHERWISE -> false;
          };
      if (options.bool(why.option(), usual)) {
        passedOn.add(why);
      }
    }
    boolean keepsDiscarded = options.bool("discard-no-unref", false);
    if (keepsDiscarded && !header.isVersion3()) {
      throw new BlockException(
          Errno.EINVAL, "discard-no-unref is only supported since qemu 1.1 compatibility level");
    }
    long cleanInterval = options.uint64("cache-clean-interval", USUAL_CLEAN_INTERVAL_SECONDS);
    if (cleanInterval >>> Integer.SIZE != 0) {
      throw new BlockException(Errno.EINVAL, "Cache clean interval too big");
    }
    Set<MetadataMap.Part> overlapChecks = overlap(options);
    boolean inHeader = (header.compatible() & Features.COMPATIBLE_LAZY_REFCOUNTS) != 0;
    return new RuntimeOptions(
        caches(options, header),
        lazy == null ? inHeader : lazy,
        passedOn,
        keepsDiscarded,
        compressionLevel(options, header),
        overlapChecks,
        cleanInterval);
  }

  private static int compressionLevel(OptionReader options, Qcow2Header header)
      throws OptionException, BlockException {
    Long level = options.uint32OrNull("compression-level");
    if (level != null) {
      ClusterCodec.checkLevel(header.compressionType(), level);
    }
    return level == null ? ClusterCodec.USUAL_LEVEL : level.intValue();
  }

  private static Set<MetadataMap.Part> overlap(OptionReader options)
      throws OptionException, BlockException {
    boolean named = options.flat().containsKey("overlap-check");
    boolean detailed = !named || options.style() == OptionReader.Style.LOOSE;
    String mode = named ? options.stringOrNull("overlap-check") : null;
    String template = detailed ? options.stringOrNull("overlap-check.template") : null;
    for (String each : Arrays.asList(mode, template)) {
      if (each != null && !OVERLAP_MODES.contains(each)) {
        throw new BlockException(
            Errno.EINVAL,
            "Unsupported value '"
                + each
                + "' for qcow2 option 'overlap-check'. Allowed are any of the following: none,"
                + " constant, cached, all");
      }
    }
    if (mode != null && template != null && !mode.equals(template)) {
      throw new BlockException(
          Errno.EINVAL,
          "Conflicting values for qcow2 options 'overlap-check' ('%s') and 'overlap-check.template' ('%s')"
              .formatted(mode, template));
    }
    String chosen = mode == null ? template : mode;
    Set<MetadataMap.Part> parts = EnumSet.noneOf(MetadataMap.Part.class);
    switch (chosen) {
      case "none" -> {}
      case "constant" -> parts.addAll(MetadataMap.CONSTANT);
      case "all" -> parts.addAll(EnumSet.allOf(MetadataMap.Part.class));
      case null, default -> parts.addAll(MetadataMap.CACHED);
    }
    for (MetadataMap.Part part : MetadataMap.Part.values()) {
      Boolean wanted = detailed ? options.boolOrNull("overlap-check." + part.option()) : null;
      if (Boolean.TRUE.equals(wanted)) {
        parts.add(part);
      } else if (wanted != null) {
        parts.remove(part);
      }
    }
    return parts;
  }

  private static CacheSizes caches(OptionReader options, Qcow2Header header)
      throws OptionException, BlockException {
    Long total = options.bytesOrNull("cache-size");
    Long slices = options.bytesOrNull("l2-cache-size");
    Long blocks = options.bytesOrNull("refcount-cache-size");
    Long entry = options.bytesOrNull("l2-cache-entry-size");
    Geometry geometry = header.geometry();
    CacheSizes defaults = CacheSizes.defaults(geometry, header.sizeBytes());
    int sliceBytes = defaults.sliceBytes();
    if (entry != null) {
      if (entry < MIN_SLICE_BYTES || entry > geometry.clusterBytes() || Long.bitCount(entry) != 1) {
        throw new BlockException(
            Errno.EINVAL,
            "L2 cache entry size must be a power of two between 512 and the cluster size ("
                + geometry.clusterBytes()
                + ")");
      }
      sliceBytes = entry.intValue();
    }
    if (total != null && slices != null && blocks != null) {
      throw new BlockException(
          Errno.EINVAL,
          "cache-size, l2-cache-size and refcount-cache-size may not be set at the same time");
    }
    long minBlocks = (long) MIN_REFCOUNT_BLOCKS << geometry.clusterBits();
    long blockBytes = blocks != null ? blocks : minBlocks;
    long wanted = (long) defaults.slices() * defaults.sliceBytes();
    if (slices != null) {
      wanted = slices;
      if (total != null) {
        blockBytes = total - slices;
      }
    } else if (total != null) {
      wanted = total - blockBytes;
    }
    if (total != null && (wanted > total || blockBytes > total)) {
      throw new BlockException(
          Errno.EINVAL,
          (slices != null ? "l2-cache-size" : "refcount-cache-size")
              + " may not exceed cache-size");
    }
    long most = (long) defaults.slices() * defaults.sliceBytes() / sliceBytes + 1;
    long sliceCount = Math.min(Math.max(wanted, 0) / sliceBytes, Math.max(most, MIN_SLICES));
    long blockCount = Math.max(blockBytes, 0) >>> geometry.clusterBits();
    return new CacheSizes(
        sliceBytes,
        (int) Math.max(MIN_SLICES, sliceCount),
        (int) Math.max(MIN_REFCOUNT_BLOCKS, Math.min(blockCount, 1024)));
  }
}
