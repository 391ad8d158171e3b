package org.tinamou.testkit.crash;

import org.tinamou.base.SeededRandom;

/** What kind of image a tool works on. */
enum ToolKind {
  OLD("compat=0.10", 9, 12),
  PLAIN("", 9, 12),
  LARGE("", 16, 16),
  LAZY("lazy_refcounts=on", 10, 12),
  NARROW("", 10, 12),
  WIDE("", 9, 12),
  EXTENDED("extended_l2=on", 14, 14),
  PACKED("", 11, 13),
  PACKED_OLD("compat=0.10", 11, 13),
  PACKED_EXTENDED("extended_l2=on", 14, 14),
  LUKS("encrypt.format=luks", 11, 13),
  LUKS_LAZY("encrypt.format=luks,lazy_refcounts=on", 12, 12),
  LUKS_EXTENDED("encrypt.format=luks,extended_l2=on", 14, 14),
  AES("encrypt.format=aes", 10, 12),
  AES_OLD("encrypt.format=aes,compat=0.10", 10, 12),
  EXTERNAL("data_file=data", 9, 12),
  EXTERNAL_RAW("data_file=data,data_file_raw=on", 10, 12),
  EXTERNAL_LAZY("data_file=data,lazy_refcounts=on", 10, 12),
  EXTERNAL_EXTENDED("data_file=data,extended_l2=on", 14, 14),
  EXTERNAL_LUKS("data_file=data,encrypt.format=luks", 12, 12);

  private static final int CLUSTERS = 40;
  private static final int LARGE_CLUSTERS = 12;
  private static final int LARGE_BITS = 14;

  private final String options;
  private final int leastBits;
  private final int mostBits;

  ToolKind(String options, int leastBits, int mostBits) {
    this.options = options;
    this.leastBits = leastBits;
    this.mostBits = mostBits;
  }

  boolean isOld() {
    return options.contains("compat=0.10");
  }

  boolean isExternal() {
    return options.contains("data_file");
  }

  /** Whether the data file shows the disk by itself. */
  boolean isRaw() {
    return this == EXTERNAL_RAW;
  }

  boolean isLuks() {
    return options.contains("luks");
  }

  boolean isEncrypted() {
    return options.contains("encrypt");
  }

  boolean isExtended() {
    return options.contains("extended_l2");
  }

  boolean isLazy() {
    return options.contains("lazy");
  }

  /** Whether clusters may be packed, and most are where the name says so. */
  boolean mayPack() {
    return !isExternal() && !isEncrypted();
  }

  boolean isPacked() {
    return name().startsWith("PACKED");
  }

  boolean mayHaveBacking() {
    return !isRaw();
  }

  boolean mayHaveSnapshots() {
    return !isExternal();
  }

  int drawClusterBits(SeededRandom random) {
    return leastBits + random.nextInt(mostBits - leastBits + 1);
  }

  private int drawRefcountBits(SeededRandom random, int least) {
    return switch (this) {
      case NARROW -> Math.max(least, 2 << random.nextInt(3));
      case WIDE -> 32 << random.nextInt(2);
      default -> isOld() || random.nextBoolean() ? 16 : Math.max(least, 1 << random.nextInt(7));
    };
  }

  static int clusters(int clusterBits) {
    return clusterBits >= LARGE_BITS ? LARGE_CLUSTERS : CLUSTERS;
  }

  /**
   * What an image is made with, as a tool is told.
   *
   * @param leastCountBits counts have no less
   */
  String drawOptions(SeededRandom random, int clusterBits, int leastCountBits) {
    StringBuilder all = new StringBuilder(options);
    all.append(all.isEmpty() ? "" : ",").append("cluster_size=").append(1 << clusterBits);
    all.append(",refcount_bits=").append(drawRefcountBits(random, leastCountBits));
    if (isLuks()) {
      String mode = random.nextInt(3) > 0 ? "cbc" : "xts";
      all.append(",encrypt.cipher-alg=aes-128,encrypt.ivgen-alg=plain64,encrypt.cipher-mode=")
          .append(mode);
    }
    if (isEncrypted()) {
      all.append(",encrypt.key-secret=").append(ToolImages.FIRST_KEY);
    }
    if (isPacked() && !isOld() && random.nextBoolean()) {
      all.append(",compression_type=zstd");
    }
    return all.toString();
  }
}
