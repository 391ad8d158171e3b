package org.tinamou.conformance.sequences;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.tinamou.base.SeededRandom;

/**
 * A chain of images and what is done to each of them, made from a seed.
 *
 * @param layers from the bottom up
 */
record Sequence(List<Layer> layers) {
  /** Begins a session that is one command of the image tool. */
  static final String IMG = "img";

  /** In options, stands for the name of the image with something behind it. */
  static final String DATA_FILE = "@data";

  private static final int SECTOR_BYTES = 512;
  private static final int MIN_EXTENDED_CLUSTER_BYTES = 16_384;
  private static final int MAX_LAYERS = 3;
  private static final int SMALL_DISK_SECTORS = 4096;
  private static final int LARGE_DISK_SECTORS = 20_000;
  private static final int[] CLUSTER_BYTES = {512, 1024, 4096, 16_384, 65_536, 65_536, 2 << 20};

  /**
   * One image.
   *
   * @param format of a bottom that may be raw
   * @param options for its creation, {@code key=value,...}
   * @param sizeBytes how long it is at first
   * @param sessions what is done to it while it is open, each time; one that begins with {@link
   *     #IMG} is a command of the image tool
   */
  record Layer(String format, String options, long sizeBytes, List<List<String>> sessions) {}

  static Sequence ofSeed(long seed) {
    SeededRandom random = new SeededRandom(seed * 7919 + 13);
    int count = 1 + random.nextInt(MAX_LAYERS);
    List<Layer> layers = new ArrayList<>();
    for (int index = 0; index < count; index++) {
      layers.add(new Maker(random).layer(index == 0 && count > 1));
    }
    return new Sequence(layers);
  }

  /** Makes one layer. */
  private static final class Maker {
    private final SeededRandom random;
    private final int clusterBytes;
    private final Set<Long> touchedClusters = new HashSet<>();
    private final Map<String, Long> snapshots = new HashMap<>();
    private boolean external;
    private boolean keepsSnapshots;
    private boolean keepsBitmaps;
    private int made;
    private long sizeBytes;

    Maker(SeededRandom random) {
      this.random = random;
      this.clusterBytes = CLUSTER_BYTES[random.nextInt(CLUSTER_BYTES.length)];
      this.sizeBytes = size();
    }

    private long size() {
      int sectors = clusterBytes > 65_536 ? LARGE_DISK_SECTORS : SMALL_DISK_SECTORS;
      return (1L + random.nextInt(sectors)) * SECTOR_BYTES;
    }

    Layer layer(boolean mayBeRaw) {
      boolean raw = mayBeRaw && random.nextInt(4) == 0;
      long firstSize = sizeBytes;
      String options = raw ? "" : options();
      List<List<String>> sessions = new ArrayList<>();
      for (int left = 1 + random.nextInt(3); left > 0; left--) {
        List<String> commands = new ArrayList<>();
        for (int more = 1 + random.nextInt(12); more > 0; more--) {
          add(commands, raw);
        }
        sessions.add(commands);
        if (keepsSnapshots && random.nextBoolean()) {
          sessions.add(ofSnapshot());
        } else if (keepsBitmaps && random.nextBoolean()) {
          sessions.add(ofBitmap());
        }
      }
      return new Layer(raw ? "raw" : "qcow2", options, firstSize, sessions);
    }

    private String options() {
      StringBuilder text = new StringBuilder("cluster_size=" + clusterBytes);
      boolean old = random.nextInt(5) == 0;
      if (old) {
        text.append(",compat=0.10");
      } else {
        int refcountBits = 1 << random.nextInt(7);
        text.append(",refcount_bits=").append(refcountBits);
        boolean parts = clusterBytes >= MIN_EXTENDED_CLUSTER_BYTES && random.nextBoolean();
        text.append(parts ? ",extended_l2=on" : "");
        external = random.nextInt(4) == 0;
        text.append(external ? ",data_file=" + DATA_FILE : "");
        keepsSnapshots = !external && refcountBits >= 16 && random.nextBoolean();
        keepsBitmaps = !keepsSnapshots && random.nextInt(3) == 0;
        text.append(random.nextInt(3) == 0 ? ",compression_type=zstd" : "");
        text.append(random.nextInt(4) == 0 ? ",lazy_refcounts=on" : "");
      }
      return text.toString();
    }

    private List<String> ofSnapshot() {
      if (snapshots.isEmpty() || random.nextInt(3) == 0) {
        String name = "s" + made++;
        snapshots.put(name, sizeBytes);
        return List.of(IMG, "snapshot", "-c", name);
      }
      String name = snapshots.keySet().stream().sorted().findFirst().orElseThrow();
      if (random.nextBoolean()) {
        snapshots.remove(name);
        return List.of(IMG, "snapshot", "-d", name);
      }
      sizeBytes = Objects.requireNonNull(snapshots.get(name));
      touch(0, (long) LARGE_DISK_SECTORS * SECTOR_BYTES);
      return List.of(IMG, "snapshot", "-a", name);
    }

    private List<String> ofBitmap() {
      if (made == 0 || random.nextBoolean()) {
        return List.of(IMG, "bitmap", "--add", "-g", "4k", "b" + made++);
      }
      return List.of(
          IMG, "bitmap", random.nextBoolean() ? "--clear" : "--disable", "b" + (made - 1));
    }

    private void add(List<String> commands, boolean raw) {
      int pattern = 1 + random.nextInt(255);
      switch (random.nextInt(raw || external ? 10 : 13)) {
        case 0, 1, 2 -> commands.add("write -P " + pattern + " " + range(1));
        case 3 -> commands.add("write -P " + pattern + " " + range(SECTOR_BYTES));
        case 4 ->
            commands.add("write -z " + (random.nextBoolean() ? "-u " : "") + range(granularity()));
        case 5 -> commands.add("discard " + range(granularity()));
        case 6 -> parallel(commands);
        case 7 -> commands.add("flush");
        case 8 -> commands.add("read -v " + shortRange());
        case 9 -> resize(commands, raw);
        default -> compressed(commands, pattern);
      }
    }

    /**
     * Whoever shrinks ends at a cluster: of a cluster that is cut in two, the reference brings the
     * second part back when the disk grows again, and we do not.
     */
    private void resize(List<String> commands, boolean raw) {
      long wanted = random.nextBoolean() ? size() : Math.max(SECTOR_BYTES, sizeBytes / 2);
      wanted -= wanted % SECTOR_BYTES;
      if (wanted < sizeBytes && !raw) {
        wanted = Math.max(1, wanted / clusterBytes) * clusterBytes;
      }
      touch(0, (long) LARGE_DISK_SECTORS * SECTOR_BYTES);
      sizeBytes = wanted;
      commands.add("truncate " + sizeBytes);
    }

    private int granularity() {
      return switch (random.nextInt(3)) {
        case 0 -> 1;
        case 1 -> SECTOR_BYTES;
        default -> clusterBytes;
      };
    }

    /** Writes that are under way at the same time, side by side, often within one cluster. */
    private void parallel(List<String> commands) {
      long at = random.nextLong(sizeBytes);
      for (int left = 2 + random.nextInt(6); left > 0 && at < sizeBytes; left--) {
        long length =
            Math.min(sizeBytes - at, 1 + random.nextInt(2 * Math.min(clusterBytes, 65_536)));
        commands.add("aio_write -q -P " + (1 + random.nextInt(255)) + " " + at + " " + length);
        touch(at, length);
        at += length + random.nextInt(SECTOR_BYTES);
      }
      commands.add("aio_flush");
    }

    private void touch(long offset, long length) {
      for (long at = offset / clusterBytes; at * clusterBytes < offset + length; at++) {
        touchedClusters.add(at);
      }
    }

    /** Not over what was written before: the reference refuses that. */
    private void compressed(List<String> commands, int pattern) {
      long clusters = (sizeBytes + clusterBytes - 1) / clusterBytes;
      long first = random.nextLong(clusters);
      for (long cluster = first; cluster < Math.min(clusters, first + 3); cluster++) {
        long offset = cluster * clusterBytes;
        long length = Math.min(clusterBytes, sizeBytes - offset);
        if (touchedClusters.contains(cluster)) {
          continue;
        }
        touch(offset, length);
        commands.add("write -c -P " + pattern + " " + offset + " " + length);
      }
    }

    private String shortRange() {
      long offset = random.nextLong(sizeBytes);
      return offset + " " + Math.min(sizeBytes - offset, 1 + random.nextInt(700));
    }

    private String range(int alignment) {
      long offset = random.nextLong(sizeBytes);
      long most = Math.min(sizeBytes, 5L * clusterBytes);
      long length = 1 + random.nextLong(random.nextBoolean() ? most : Math.min(most, 5000));
      offset -= offset % alignment;
      length += alignment - 1;
      length -= length % alignment;
      length = Math.min(length, sizeBytes - offset);
      touch(offset, length);
      return offset + " " + length;
    }
  }
}
