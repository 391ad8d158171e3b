package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.Parsed;

/**
 * What stands at the beginning of an image. Parsed and checked in one place; what comes out of
 * {@link #parse} lies within the format's limits.
 *
 * @param backingName null without a backing file
 * @param encryption 0 for none, 1 for AES, 2 for LUKS
 * @param extensions all of them in their order, known or not
 */
record Qcow2Header(
    int version,
    Geometry geometry,
    long sizeBytes,
    int encryption,
    int firstLevelEntries,
    long firstLevelOffset,
    long refcountTableOffset,
    int refcountTableClusters,
    int snapshots,
    long snapshotsOffset,
    long incompatible,
    long compatible,
    long autoclear,
    int headerBytes,
    int compressionType,
    @Nullable String backingName,
    List<HeaderExtension> extensions) {
  static final int MAGIC = 0x514649FB;
  static final int V2_BYTES = 72;
  static final int V3_BYTES = 104;

  /** With the compression type. */
  static final int FULL_BYTES = 112;

  static final int COMPRESSION_ZLIB = 0;
  static final int COMPRESSION_ZSTD = 1;

  static final int MAX_BACKING_NAME_BYTES = 1023;
  static final int MAX_FIRST_LEVEL_BYTES = 32 << 20;
  private static final int MAX_REFCOUNT_TABLE_BYTES = 8 << 20;
  private static final int MAX_SNAPSHOTS = 65_536;
  private static final int MAX_BACKING_FORMAT_BYTES = 15;
  private static final int V2_REFCOUNT_ORDER = 4;

  /** Of the incompatible bits, those that can be dealt with. */
  private static final long KNOWN_INCOMPATIBLE =
      Features.INCOMPATIBLE_DIRTY
          | Features.INCOMPATIBLE_CORRUPT
          | Features.INCOMPATIBLE_DATA_FILE
          | Features.INCOMPATIBLE_COMPRESSION
          | Features.INCOMPATIBLE_EXTENDED_L2;

  /** The length of what {@link #parse} wants to see: the first cluster, once its size is known. */
  static int bytesWanted(ByteBuffer start) {
    int clusterBits = start.getInt(20);
    return clusterBits >= Geometry.MIN_CLUSTER_BITS && clusterBits <= Geometry.MAX_CLUSTER_BITS
        ? 1 << clusterBits
        : FULL_BYTES;
  }

  /**
   * Reads and checks a header.
   *
   * @param bytes the first cluster, with zeroes behind the end of a shorter file
   */
  static Parsed<Qcow2Header> parse(ByteBuffer bytes) {
    try {
      return new Parsed.Value<>(new Parser(bytes).parse());
    } catch (Refusal refusal) {
      return new Parsed.Malformed<>(refusal.field, refusal.text);
    }
  }

  @SuppressWarnings("serial") // thrown and caught in this file
  private static final class Refusal extends Exception {
    final String field;
    final String text;

    Refusal(String field, String text) {
      super(text, null, false, false);
      this.field = field;
      this.text = text;
    }
  }

  private static final class Parser {
    private final ByteBuffer bytes;

    Parser(ByteBuffer bytes) {
      this.bytes = bytes;
    }

    private static void require(boolean condition, String field, String text) throws Refusal {
      if (!condition) {
        throw new Refusal(field, text);
      }
    }

    Qcow2Header parse() throws Refusal {
      require(bytes.getInt(0) == MAGIC, "magic", "Image is not in qcow2 format");
      int version = bytes.getInt(4);
      require(
          version == 2 || version == 3,
          "version",
          "Unsupported qcow2 version " + Integer.toUnsignedString(version));
      int clusterBits = bytes.getInt(20);
      require(
          clusterBits >= Geometry.MIN_CLUSTER_BITS && clusterBits <= Geometry.MAX_CLUSTER_BITS,
          "cluster_bits",
          "Unsupported cluster size: 2^" + Integer.toUnsignedString(clusterBits));
      int clusterBytes = 1 << clusterBits;
      boolean v3 = version == 3;
      int headerBytes = v3 ? bytes.getInt(100) : V2_BYTES;
      if (v3) {
        require(
            Integer.compareUnsigned(headerBytes, V3_BYTES) >= 0,
            "header_length",
            "qcow2 header too short");
        require(
            Integer.compareUnsigned(headerBytes, clusterBytes) <= 0,
            "header_length",
            "qcow2 header exceeds cluster size");
      }
      long backingOffset = bytes.getLong(8);
      require(
          Long.compareUnsigned(backingOffset, clusterBytes) <= 0,
          "backing_file_offset",
          "Invalid backing file offset");
      int extensionsEnd = backingOffset == 0 ? clusterBytes : (int) backingOffset;
      List<HeaderExtension> extensions = extensions(headerBytes, extensionsEnd);
      long incompatible = v3 ? bytes.getLong(72) : 0;
      int compression = compressionType(headerBytes, incompatible);
      long unknown = incompatible & ~KNOWN_INCOMPATIBLE;
      require(
          unknown == 0,
          "incompatible_features",
          "Unsupported qcow2 feature(s): " + Features.describe(unknown, extensions));
      int refcountOrder = v3 ? bytes.getInt(96) : V2_REFCOUNT_ORDER;
      require(
          Integer.compareUnsigned(refcountOrder, Geometry.MAX_REFCOUNT_ORDER) <= 0,
          "refcount_order",
          "Reference count entry width too large; may not exceed 64 bits");
      Geometry geometry =
          new Geometry(
              clusterBits, refcountOrder, (incompatible & Features.INCOMPATIBLE_EXTENDED_L2) != 0);
      int encryption = encryption(extensions);
      long sizeBytes = bytes.getLong(24);
      checkTables(geometry, sizeBytes);
      long autoclear = v3 ? bytes.getLong(88) : 0;
      require(
          (autoclear & Features.AUTOCLEAR_RAW_DATA_FILE) == 0
              || (incompatible & Features.INCOMPATIBLE_DATA_FILE) != 0,
          "autoclear_features",
          "data-file-raw requires a data file");
      require(
          !isBeyondNumbers(geometry, sizeBytes),
          "size",
          "Could not refresh total sector count: " + Errno.EFBIG.message());
      return new Qcow2Header(
          version,
          geometry,
          sizeBytes,
          encryption,
          bytes.getInt(36),
          bytes.getLong(40),
          bytes.getLong(48),
          bytes.getInt(56),
          bytes.getInt(60),
          bytes.getLong(64),
          incompatible,
          v3 ? bytes.getLong(80) : 0,
          autoclear,
          headerBytes,
          compression,
          backingName(backingOffset, clusterBytes),
          extensions);
    }

    private int encryption(List<HeaderExtension> extensions) throws Refusal {
      int method = bytes.getInt(32);
      require(
          Integer.compareUnsigned(method, 2) <= 0,
          "crypt_method",
          "Unsupported encryption method " + method);
      require(
          method != 2 || has(extensions, HeaderExtension.ENCRYPTION),
          "crypt_method",
          "Missing CRYPTO header for crypt method 2");
      return method;
    }

    private int compressionType(int headerBytes, long incompatible) throws Refusal {
      int type = headerBytes > V3_BYTES ? bytes.get(104) & 0xff : COMPRESSION_ZLIB;
      require(
          type <= COMPRESSION_ZSTD, "compression_type", "qcow2: unknown compression type: " + type);
      boolean marked = (incompatible & Features.INCOMPATIBLE_COMPRESSION) != 0;
      if (type == COMPRESSION_ZLIB) {
        require(
            !marked,
            "compression_type",
            "qcow2: Compression type incompatible feature bit must not be set");
      } else {
        require(
            marked,
            "compression_type",
            "qcow2: Compression type incompatible feature bit must be set");
      }
      return type;
    }

    private void checkTables(Geometry geometry, long sizeBytes) throws Refusal {
      long refcountOffset = bytes.getLong(48);
      int refcountClusters = bytes.getInt(56);
      require(
          Integer.toUnsignedLong(refcountClusters)
              <= MAX_REFCOUNT_TABLE_BYTES / geometry.clusterBytes(),
          "refcount_table_clusters",
          "Reference count table too large");
      require(
          isTable(geometry, refcountOffset, (long) refcountClusters << geometry.clusterBits()),
          "refcount_table_offset",
          "Reference count table offset invalid");
      require(
          Integer.compareUnsigned(bytes.getInt(60), MAX_SNAPSHOTS) <= 0,
          "nb_snapshots",
          "Snapshot table too large");
      require(
          isTable(geometry, bytes.getLong(64), 0),
          "snapshots_offset",
          "Snapshot table offset invalid");
      long entries = Integer.toUnsignedLong(bytes.getInt(36));
      require(
          entries <= MAX_FIRST_LEVEL_BYTES / Geometry.ENTRY_BYTES,
          "l1_size",
          "Active L1 table too large");
      require(
          isTable(geometry, bytes.getLong(40), entries * Geometry.ENTRY_BYTES),
          "l1_table_offset",
          "Active L1 table offset invalid");
      long needed =
          isBeyondNumbers(geometry, sizeBytes)
              ? 0
              : sizeBytes < 0 ? Long.MAX_VALUE : geometry.firstLevelEntries(sizeBytes);
      require(needed <= Integer.MAX_VALUE, "size", "Image is too big");
      require(entries >= needed, "l1_size", "L1 table is too small");
    }

    /** Whether even the rounding up to whole tables runs over. */
    private static boolean isBeyondNumbers(Geometry geometry, long sizeBytes) {
      return sizeBytes < 0 && sizeBytes > -geometry.bytesPerTable();
    }

    private static boolean has(List<HeaderExtension> extensions, int type) {
      return extensions.stream().anyMatch(extension -> extension.type() == type);
    }

    private static boolean isTable(Geometry geometry, long offset, long length) {
      return offset >= 0 && geometry.inCluster(offset) == 0 && offset <= Long.MAX_VALUE - length;
    }

    private @Nullable String backingName(long offset, int clusterBytes) throws Refusal {
      if (offset == 0) {
        return null;
      }
      int length = bytes.getInt(16);
      require(
          Integer.compareUnsigned(
                  length, (int) Math.min(MAX_BACKING_NAME_BYTES, clusterBytes - offset))
              <= 0,
          "backing_file_size",
          "Backing file name too long");
      return length == 0 ? null : text((int) offset, length);
    }

    private String text(int offset, int length) {
      byte[] text = new byte[length];
      bytes.get(offset, text);
      return new String(text, StandardCharsets.UTF_8);
    }

    private List<HeaderExtension> extensions(int start, int end) throws Refusal {
      List<HeaderExtension> all = new ArrayList<>();
      int offset = start;
      while (offset < end && offset + HeaderExtension.HEAD_BYTES <= bytes.limit()) {
        int type = bytes.getInt(offset);
        int length = bytes.getInt(offset + Integer.BYTES);
        int data = offset + HeaderExtension.HEAD_BYTES;
        if (type == HeaderExtension.END) {
          break;
        }
        require(
            data <= end && Integer.compareUnsigned(length, end - data) <= 0,
            "header extension",
            "Header extension too large");
        require(
            type != HeaderExtension.BACKING_FORMAT || length <= MAX_BACKING_FORMAT_BYTES,
            "header extension",
            "ERROR: ext_backing_format: len="
                + length
                + " too large (>="
                + (MAX_BACKING_FORMAT_BYTES + 1)
                + ")");
        byte[] content = new byte[length];
        bytes.get(data, content);
        HeaderExtension extension = new HeaderExtension(type, content);
        all.add(extension);
        offset += extension.paddedBytes();
      }
      return all;
    }
  }

  /** The format the image names for its backing file, or null. */
  @Nullable String backingFormat() {
    String format = null;
    for (HeaderExtension extension : extensions) {
      if (extension.type() == HeaderExtension.BACKING_FORMAT) {
        format = new String(extension.data(), StandardCharsets.UTF_8); // the last one counts
      }
    }
    return format;
  }

  /** The same with other extensions and bits that say what is up to date. */
  Qcow2Header with(List<HeaderExtension> newExtensions, long newAutoclear) {
    return with(version, compatible, newAutoclear, headerBytes, backingName, newExtensions);
  }

  /** The same with clusters that are encrypted. */
  Qcow2Header withEncryption(int method, List<HeaderExtension> newExtensions) {
    return with(method, version, compatible, autoclear, headerBytes, backingName, newExtensions);
  }

  Qcow2Header withCompatible(long bits) {
    return with(version, bits, autoclear, headerBytes, backingName, extensions);
  }

  Qcow2Header withBacking(@Nullable String name, List<HeaderExtension> newExtensions) {
    return with(version, compatible, autoclear, headerBytes, name, newExtensions);
  }

  /** The same as an image of another version, of which it has no features. */
  Qcow2Header withVersion(int newVersion, List<HeaderExtension> newExtensions) {
    int bytes = newVersion >= 3 ? FULL_BYTES : V2_BYTES;
    return with(newVersion, 0, 0, bytes, backingName, newExtensions);
  }

  private Qcow2Header with(
      int newVersion,
      long newCompatible,
      long newAutoclear,
      int newHeaderBytes,
      @Nullable String newBackingName,
      List<HeaderExtension> newExtensions) {
    return with(
        encryption,
        newVersion,
        newCompatible,
        newAutoclear,
        newHeaderBytes,
        newBackingName,
        newExtensions);
  }

  private Qcow2Header with(
      int newEncryption,
      int newVersion,
      long newCompatible,
      long newAutoclear,
      int newHeaderBytes,
      @Nullable String newBackingName,
      List<HeaderExtension> newExtensions) {
    return new Qcow2Header(
        newVersion,
        geometry,
        sizeBytes,
        newEncryption,
        firstLevelEntries,
        firstLevelOffset,
        refcountTableOffset,
        refcountTableClusters,
        snapshots,
        snapshotsOffset,
        newVersion >= 3 ? incompatible : 0,
        newCompatible,
        newAutoclear,
        newHeaderBytes,
        compressionType,
        newBackingName,
        newExtensions);
  }

  /** All extensions but those of a type. */
  List<HeaderExtension> extensionsWithout(int type) {
    return extensions.stream().filter(extension -> extension.type() != type).toList();
  }

  /** The file the image names for the guest's clusters, or null. */
  @Nullable String dataFileName() {
    for (HeaderExtension extension : extensions) {
      if (extension.type() == HeaderExtension.DATA_FILE) {
        return new String(extension.data(), StandardCharsets.UTF_8);
      }
    }
    return null;
  }

  boolean hasFeature(long incompatibleBit) {
    return (incompatible & incompatibleBit) != 0;
  }

  boolean isVersion3() {
    return version >= 3;
  }

  /** The backing file's name as it stands in the file; empty without one. */
  byte[] backingNameBytes() {
    return backingName == null ? new byte[0] : backingName.getBytes(StandardCharsets.UTF_8);
  }

  /** Where the mark that ends the extensions ends. */
  int endOfExtensions() {
    int end = headerBytes + HeaderExtension.HEAD_BYTES;
    for (HeaderExtension extension : extensions) {
      end += extension.paddedBytes();
    }
    return end;
  }

  /**
   * The first cluster's beginning: header, extensions and the backing file's name.
   *
   * @return null if they do not fit into one cluster
   */
  byte @Nullable [] serialise() {
    int end = endOfExtensions();
    return end + backingNameBytes().length > geometry.clusterBytes() ? null : serialise(end);
  }

  /** The same with the name at another place, behind the extensions. */
  byte[] serialise(int nameOffset) {
    byte[] name = backingNameBytes();
    int total = Math.max(endOfExtensions(), nameOffset + name.length);
    ByteBuffer out = ByteBuffer.allocate(total);
    out.putInt(0, MAGIC).putInt(4, version);
    out.putLong(8, backingName == null ? 0 : nameOffset);
    out.putInt(16, name.length);
    out.putInt(20, geometry.clusterBits());
    out.putLong(24, sizeBytes);
    out.putInt(32, encryption);
    out.putInt(36, firstLevelEntries);
    out.putLong(40, firstLevelOffset);
    out.putLong(48, refcountTableOffset);
    out.putInt(56, refcountTableClusters);
    out.putInt(60, snapshots);
    out.putLong(64, snapshotsOffset);
    if (isVersion3()) {
      out.putLong(72, incompatible).putLong(80, compatible).putLong(88, autoclear);
      out.putInt(96, geometry.refcountOrder()).putInt(100, headerBytes);
      if (headerBytes > V3_BYTES) {
        out.put(104, (byte) compressionType);
      }
    }
    out.position(headerBytes);
    for (HeaderExtension extension : extensions) {
      int start = out.position();
      out.putInt(extension.type()).putInt(extension.data().length).put(extension.data());
      out.position(start + extension.paddedBytes());
    }
    out.put(nameOffset, name);
    return out.array();
  }
}
