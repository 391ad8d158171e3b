package org.tinamou.drivers.format.qcow2;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.format.luks.LuksRequest;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionSchema.Option;
import org.tinamou.qapi.OptionValues;

/** What can be said about a new image, and what that means. */
public final class Qcow2CreationOptions {
  /** In the order in which the reference reports them. */
  public static final OptionSchema OPTIONS =
      new OptionSchema(
          List.of(
              Option.bool(
                  "encryption",
                  "Encrypt the image with format 'aes'. (Deprecated in favor of"
                      + " encrypt.format=aes)"),
              Option.string("encrypt.format", "Encrypt the image, format choices: 'aes', 'luks'"),
              Option.string(
                  "encrypt.key-secret", "ID of secret providing qcow AES key or LUKS passphrase"),
              Option.string("encrypt.cipher-alg", "Name of encryption cipher algorithm"),
              Option.string("encrypt.cipher-mode", "Name of encryption cipher mode"),
              Option.string("encrypt.ivgen-alg", "Name of IV generator algorithm"),
              Option.string("encrypt.ivgen-hash-alg", "Name of IV generator hash algorithm"),
              Option.string("encrypt.hash-alg", "Name of encryption hash algorithm"),
              Option.number("encrypt.iter-time", "Time to spend in PBKDF in milliseconds"),
              Option.size("cluster_size", "qcow2 cluster size").reportedAs("65536"),
              Option.bool("extended_l2", "Extended L2 tables").reportedAs("off"),
              Option.string(
                  "preallocation",
                  "Preallocation mode (allowed values: off, metadata, falloc, full)"),
              Option.string(
                      "compression_type", "Compression method used for image cluster compression")
                  .reportedAs("zlib"),
              Option.size("size", "Virtual disk size"),
              Option.string("compat", "Compatibility level (v2 [0.10] or v3 [1.1])"),
              Option.string("backing_file", "File name of a base image"),
              Option.string("backing_fmt", "Image format of the base image"),
              Option.string("data_file", "File name of an external data file"),
              Option.bool("data_file_raw", "The external data file must stay valid as a raw image"),
              Option.bool("lazy_refcounts", "Postpone refcount updates").reportedAs("off"),
              Option.number("refcount_bits", "Width of a reference count entry in bits")
                  .reportedAs("16")));

  /** What can be changed of an image, in the order in which the reference tells it. */
  public static final OptionSchema AMENDABLE =
      new OptionSchema(
          List.of(
              Option.string("backing_file", "File name of a base image"),
              Option.string("backing_fmt", "Image format of the base image"),
              Option.string("compat", "Compatibility level (v2 [0.10] or v3 [1.1])"),
              Option.string("data_file", "File name of an external data file"),
              Option.bool("data_file_raw", "The external data file must stay valid as a raw image"),
              Option.number("encrypt.iter-time", "Time to spend in PBKDF in milliseconds"),
              Option.number("encrypt.keyslot", "Select a single keyslot to modify explicitly"),
              Option.string(
                  "encrypt.new-secret",
                  "New secret to set in the matching keyslots. Empty string to erase"),
              Option.string("encrypt.old-secret", "Select all keyslots that match this password"),
              Option.string(
                  "encrypt.state", "Select new state of affected keyslots (active/inactive)"),
              Option.bool("lazy_refcounts", "Postpone refcount updates"),
              Option.number("refcount_bits", "Width of a reference count entry in bits"),
              Option.size("size", "Virtual disk size")));

  private static final List<String> ENCRYPTION_FORMATS = List.of("aes", "luks");
  private static final int SECTOR_BYTES = 512;

  private Qcow2CreationOptions() {}

  /**
   * What to make.
   *
   * @param values checked against a schema that contains {@link #OPTIONS}
   * @throws BlockException with the reference's message for a value that nobody knows
   */
  @AnyThread
  public static Qcow2Creator.Request request(OptionValues values)
      throws OptionException, BlockException {
    boolean extended = values.bool("extended_l2", false);
    boolean version3 = version3(values.string("compat"));
    String backingFormat = values.string("backing_fmt");
    if (backingFormat != null && !Drivers.isKnown(backingFormat)) {
      throw notAccepted("backing-fmt", backingFormat);
    }
    NewEncryption encryption = encryption(values);
    PreallocationMode preallocation = preallocation(values.string("preallocation"));
    boolean rawDataFile = values.bool("data_file_raw", false);
    if (rawDataFile && preallocation == PreallocationMode.OFF) {
      preallocation = PreallocationMode.METADATA;
    }
    String compression = values.string("compression_type");
    if (compression != null && !compression.equals("zlib") && !compression.equals("zstd")) {
      throw notAccepted("compression-type", compression);
    }
    long size = values.size("size", 0);
    return new Qcow2Creator.Request(
        size + SECTOR_BYTES - 1 & -SECTOR_BYTES,
        version3,
        values.size("cluster_size", Qcow2Creator.Request.DEFAULT_CLUSTER_BYTES),
        values.number("refcount_bits", Qcow2Creator.Request.DEFAULT_REFCOUNT_BITS),
        values.bool("lazy_refcounts", false),
        compression == null ? "zlib" : compression,
        preallocation,
        values.string("backing_file"),
        backingFormat,
        new Qcow2Creator.Extras(extended, encryption, values.string("data_file"), rawDataFile));
  }

  private static BlockException notAccepted(String parameter, String value) {
    return new BlockException(
        Errno.EINVAL, "Parameter '" + parameter + "' does not accept value '" + value + "'");
  }

  private static boolean version3(@Nullable String compat) throws BlockException {
    return switch (compat) {
      case null -> true;
      case "1.1", "v3" -> true;
      case "0.10", "v2" -> false;
      default -> throw notAccepted("version", compat);
    };
  }

  private static PreallocationMode preallocation(@Nullable String text) throws BlockException {
    if (text == null) {
      return PreallocationMode.OFF;
    }
    PreallocationMode mode = PreallocationMode.parse(text);
    if (mode == null) {
      throw notAccepted("preallocation", text);
    }
    return mode;
  }

  private static boolean isEncrypted(OptionValues values) throws OptionException, BlockException {
    String format = values.string("encrypt.format");
    if (values.has("encryption") && format != null) {
      throw new BlockException(
          Errno.EINVAL,
          "'encrypt.format' and its alias 'encryption' can't be used at the same time");
    }
    if (format != null && !ENCRYPTION_FORMATS.contains(format)) {
      throw notAccepted("format", format);
    }
    boolean wanted = format != null || values.bool("encryption", false);
    if (!wanted && OPTIONS.names().stream().anyMatch(name -> isEncryption(name, values))) {
      throw new BlockException(Errno.EINVAL, "Parameter 'encrypt.format' is missing");
    }
    return wanted;
  }

  /** How the image is to be encrypted, or null. */
  static @Nullable NewEncryption encryption(OptionValues values)
      throws OptionException, BlockException {
    if (!isEncrypted(values)) {
      return null;
    }
    String secret = values.string(Encryption.KEY);
    return "luks".equals(values.string("encrypt.format"))
        ? new NewEncryption(LuksRequest.of(values, "encrypt."), secret)
        : new NewEncryption(null, secret);
  }

  private static boolean isEncryption(String name, OptionValues values) {
    return name.startsWith("encrypt.") && values.has(name);
  }
}
