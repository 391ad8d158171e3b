package org.tinamou.conformance.sequences;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.base.SeededRandom;

/**
 * One combination of an image's features, and what is done to such an image.
 *
 * @param options for its creation, without what names a place or a secret
 * @param encryption "luks", "aes" or empty
 * @param external whether the guest's data is in a file of its own
 * @param belowFormat of the image below; empty if there is none
 * @param sizeBytes of the disk
 * @param steps commands of the image tool, or of {@code qemu-io} where they begin with {@link #IO}
 */
record FeatureCase(
    String options,
    String encryption,
    boolean external,
    String belowFormat,
    long sizeBytes,
    List<List<String>> steps) {
  /** Begins a step that is one session of requests. */
  static final String IO = "io";

  private static final int SECTOR_BYTES = 512;
  private static final int MIN_EXTENDED_CLUSTER_BYTES = 16_384;
  private static final int MOST_SECTORS = 6000;
  private static final int MIN_SNAPSHOT_BITS = 16;

  static FeatureCase ofSeed(long seed) {
    return new Maker(new SeededRandom(seed * 6007 + 5)).make();
  }

  private static final class Maker {
    private final SeededRandom random;
    private final int clusterBytes;
    private final boolean old;
    private final int refcountBits;
    private final String encryption;
    private final boolean external;
    private final long sizeBytes;
    private long firstUnpacked;

    Maker(SeededRandom random) {
      this.random = random;
      this.clusterBytes = 1 << 9 + random.nextInt(13);
      this.old = random.nextInt(6) == 0;
      this.refcountBits = old ? 16 : 1 << random.nextInt(7);
      this.encryption =
          switch (random.nextInt(8)) {
            case 0, 1 -> "luks";
            case 2 -> "aes";
            default -> "";
          };
      this.external = !old && random.nextInt(4) == 0;
      this.sizeBytes = (1L + random.nextInt(MOST_SECTORS)) * SECTOR_BYTES;
    }

    FeatureCase make() {
      StringBuilder options = new StringBuilder("cluster_size=" + clusterBytes);
      if (old) {
        options.append(",compat=0.10");
      } else {
        options.append(",refcount_bits=").append(refcountBits);
        boolean parts = clusterBytes >= MIN_EXTENDED_CLUSTER_BYTES && random.nextBoolean();
        options.append(parts ? ",extended_l2=on" : "");
        options.append(random.nextInt(2) == 0 ? ",compression_type=zstd" : "");
        options.append(random.nextInt(4) == 0 ? ",lazy_refcounts=on" : "");
      }
      String below = new String[] {"", "", "raw", "qcow2"}[random.nextInt(4)];
      if (external && below.isEmpty() && random.nextInt(3) == 0) {
        options.append(",data_file_raw=on");
      }
      return new FeatureCase(
          options.toString(), encryption, external, below, sizeBytes, steps(below));
    }

    private List<List<String>> steps(String below) {
      List<List<String>> steps = new ArrayList<>();
      boolean keepsSnapshots =
          !external && refcountBits >= MIN_SNAPSHOT_BITS && random.nextInt(3) > 0;
      boolean keepsBitmaps = !old && random.nextInt(2) == 0;
      steps.add(requests(!external && encryption.isEmpty()));
      if (keepsBitmaps) {
        steps.add(List.of("bitmap", "--add", "-g", "64k", "b0"));
        if (random.nextBoolean()) {
          steps.add(List.of("bitmap", "--add", "--disable", "b1"));
        }
      }
      if (keepsSnapshots) {
        steps.add(List.of("snapshot", "-c", "s0"));
      }
      steps.add(requests(false));
      if (keepsBitmaps && random.nextBoolean()) {
        steps.add(List.of("bitmap", random.nextBoolean() ? "--clear" : "--remove", "b0"));
      }
      if (keepsSnapshots) {
        steps.add(List.of("snapshot", "-c", "s1"));
        if (random.nextBoolean()) {
          steps.add(List.of("snapshot", "-d", "s0"));
        }
        steps.add(requests(false));
      }
      boolean grows = below.isEmpty() && !(old && keepsSnapshots) && random.nextInt(3) == 0;
      if (grows) {
        steps.add(List.of("resize", "+" + clusterBytes));
      }
      return steps;
    }

    private List<String> requests(boolean packed) {
      List<String> commands = new ArrayList<>(List.of(IO));
      long clusters = sizeBytes / clusterBytes;
      for (int i = 0; packed && i < 3 && firstUnpacked < clusters; i++) {
        int pattern = 1 + random.nextInt(255);
        long at = firstUnpacked++ * clusterBytes;
        commands.add("write -c -P " + pattern + " " + at + " " + clusterBytes);
      }
      for (int left = 1 + random.nextInt(6); left > 0; left--) {
        switch (random.nextInt(5)) {
          case 0 -> commands.add("write -z " + (random.nextBoolean() ? "-u " : "") + range());
          case 1 -> commands.add("discard " + range());
          default -> commands.add("write -P " + (1 + random.nextInt(255)) + " " + range());
        }
      }
      return commands;
    }

    private String range() {
      long sectors = sizeBytes / SECTOR_BYTES;
      long first = random.nextLong(sectors);
      long most = Math.min(sectors - first, 1 + 4L * clusterBytes / SECTOR_BYTES);
      return first * SECTOR_BYTES + " " + (1 + random.nextLong(most)) * SECTOR_BYTES;
    }
  }
}
