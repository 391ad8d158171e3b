package org.tinamou.conformance.sequences;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/**
 * A chain of images with random options and random changes to each, drawn from a seed.
 *
 * <p>Each image is opened several times, and each time compressed writes come first and go only
 * where nothing has been written before: after one that fails, or once the space of one was given
 * back, the reference (7.2) may damage its own image with the next.
 *
 * @param layers from the base up
 */
record Sequence(long seed, List<Layer> layers) {
  /**
   * One image: how it is made, and what is done to it before the next is laid over it.
   *
   * @param sessions commands of the io tool
   */
  record Layer(
      String name, String format, List<String> createArguments, List<List<String>> sessions) {}

  private static final int SECTOR = 512;
  private static final int[] CLUSTERS = {512, 1024, 4096, 4096, 8192, 65536, 65536, 262144};
  private static final int MAX_COMMANDS = 16;
  private static final int MAX_SESSIONS = 3;
  private static final int MAX_COMPRESSED = 6;

  static Sequence draw(long seed) {
    return new Generator(seed).draw();
  }

  /** What is drawn so far. */
  private static final class Generator {
    private final long seed;
    private final Random random;
    private final List<Layer> layers = new ArrayList<>();
    private int clusterBytes = 65536;
    private boolean qcow2;
    private boolean compressible;
    private long sizeBytes;

    /** Clusters of the image that have been written to, or may have been. */
    private final BitSet touched = new BitSet();

    Generator(long seed) {
      this.seed = seed;
      this.random = new Random(seed * 0x9E3779B97F4A7C15L);
    }

    Sequence draw() {
      int count = 1 + random.nextInt(3);
      for (int index = 0; index < count; index++) {
        boolean raw = count > 1 && index == 0 && chance(0.3);
        layers.add(raw ? rawLayer() : qcow2Layer(index));
      }
      return new Sequence(seed, List.copyOf(layers));
    }

    private boolean chance(double probability) {
      return random.nextDouble() < probability;
    }

    private Layer rawLayer() {
      qcow2 = false;
      compressible = false;
      sizeBytes = size();
      List<String> create = List.of("create", "-f", "raw", "0.raw", Long.toString(sizeBytes));
      return new Layer("0.raw", "raw", create, sessions());
    }

    private Layer qcow2Layer(int index) {
      qcow2 = true;
      List<String> options = new ArrayList<>();
      clusterBytes = CLUSTERS[random.nextInt(CLUSTERS.length)];
      options.add("cluster_size=" + clusterBytes);
      boolean old = chance(0.2);
      options.add("compat=" + (old ? "0.10" : "1.1"));
      if (!old) {
        options.add("refcount_bits=" + (1 << random.nextInt(7)));
        if (chance(0.2)) {
          options.add("lazy_refcounts=on");
        }
        if (chance(0.4)) {
          options.add("compression_type=zstd");
        }
      }
      if (index == 0 && chance(0.2)) {
        options.add("preallocation=metadata");
      }
      compressible = !options.contains("preallocation=metadata");
      String name = index + ".qcow2";
      List<String> create = new ArrayList<>(List.of("create", "-f", "qcow2"));
      create.addAll(List.of("-o", String.join(",", options)));
      if (index > 0) {
        Layer below = layers.getLast();
        create.addAll(List.of("-b", below.name(), "-F", below.format()));
      }
      create.add(name);
      if (index == 0 || chance(0.5)) {
        sizeBytes = size();
        create.add(Long.toString(sizeBytes));
      }
      return new Layer(name, "qcow2", create, sessions());
    }

    /** Small for small clusters, so that tables are crossed and still quickly read. */
    private long size() {
      long most = Math.min(16L << 20, Math.max(256L << 10, clusterBytes * 512L));
      long size = SECTOR * (1 + random.nextLong(most / SECTOR));
      return chance(0.5) ? size : roundUp(size, clusterBytes);
    }

    private static long roundUp(long value, long unit) {
      return (value + unit - 1) / unit * unit;
    }

    private List<List<String>> sessions() {
      touched.clear();
      List<List<String>> sessions = new ArrayList<>();
      int count = 1 + random.nextInt(MAX_SESSIONS);
      for (int index = 0; index < count; index++) {
        sessions.add(commands());
      }
      return List.copyOf(sessions);
    }

    private List<String> commands() {
      List<String> commands = new ArrayList<>();
      for (int left = random.nextInt(MAX_COMPRESSED); compressible && left > 0; left--) {
        compressed(commands);
      }
      int count = 1 + random.nextInt(MAX_COMMANDS);
      for (int index = 0; index < count; index++) {
        command(commands);
      }
      return List.copyOf(commands);
    }

    private void command(List<String> commands) {
      int kind = random.nextInt(100);
      if (kind < 40) {
        commands.add("write -P " + pattern() + range(chance(0.1) ? 1 : SECTOR));
      } else if (kind < 50) {
        commands.add("write -z" + (chance(0.5) ? " -u" : "") + range(unit()));
      } else if (kind < 62) {
        commands.add("discard" + range(unit()));
      } else if (kind < 70) {
        together(commands);
      } else if (kind < 80) {
        resize(commands);
      } else if (kind < 90) {
        commands.add("flush");
      } else {
        commands.add("read" + range(SECTOR));
      }
    }

    private int pattern() {
      return chance(0.1) ? 0 : 1 + random.nextInt(255);
    }

    private long unit() {
      return chance(0.5) ? Math.min(clusterBytes, Math.max(SECTOR, sizeBytes)) : SECTOR;
    }

    /** Offset and length inside the image, in units, with lengths from one to a third of it. */
    private String range(long unit) {
      long units = Math.max(1, sizeBytes / unit);
      long start = random.nextLong(units);
      long few = chance(0.7) ? Math.max(1, 3L * clusterBytes / unit) : Math.max(1, units / 3);
      long length = 1 + random.nextLong(Math.min(few, units - start));
      long bytes = Math.max(0, Math.min(length * unit, sizeBytes - start * unit));
      touch(start * unit, bytes);
      return " " + start * unit + " " + bytes;
    }

    private void touch(long start, long bytes) {
      touched.set((int) (start / clusterBytes), (int) ((start + bytes) / clusterBytes) + 1);
    }

    private void compressed(List<String> commands) {
      int index = (int) random.nextLong(Math.max(1, sizeBytes / clusterBytes));
      long start = (long) index * clusterBytes;
      if (!touched.get(index)) {
        long bytes = Math.min(clusterBytes, sizeBytes - start);
        touch(start, bytes - 1);
        commands.add("write -c -P " + pattern() + " " + start + " " + bytes);
      }
    }

    /** Writes under way at the same time, in ranges that do not meet. */
    private void together(List<String> commands) {
      long share = sizeBytes / 8 / SECTOR * SECTOR;
      if (share < 2 * SECTOR) {
        return;
      }
      for (int index = 0; index < 8; index++) {
        long start = index * share + SECTOR * random.nextLong(share / SECTOR / 2);
        long most = Math.min(4L * clusterBytes, (index + 1) * share - start);
        long length = SECTOR * (1 + random.nextLong(most / SECTOR));
        touch(start, length);
        String zero = qcow2 && chance(0.2) ? "-z " : "-P " + (1 + random.nextInt(255)) + " ";
        commands.add("aio_write -q " + zero + start + " " + length);
      }
      commands.add("aio_flush");
    }

    /**
     * Shrinks to whole clusters: what is cut off within one comes back when the reference grows.
     */
    private void resize(List<String> commands) {
      touched.set((int) (sizeBytes / clusterBytes));
      sizeBytes =
          chance(0.6) ? roundUp(sizeBytes + size() / 4, SECTOR) : roundUp(size(), clusterBytes);
      commands.add("truncate " + sizeBytes);
      touched.set(
          (int) (sizeBytes / clusterBytes)); // partly cut, and so perhaps filled with zeroes
    }
  }
}
