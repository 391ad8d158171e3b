package org.tinamou.api;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which image to open, and how. Immutable; each {@code with} method returns a changed copy.
 *
 * @param name a path, a protocol's name ({@code null-co://}) or {@code json:{…}}; null if {@code
 *     options} say it all
 * @param format the image's format; null to find it out from its beginning, which nobody should do
 *     who does not trust what wrote the image
 * @param readOnly nothing is written
 * @param cacheDirect past the host's page cache (O_DIRECT)
 * @param cacheNoFlush flushes do not reach the disk: a crash of the host may cost everything
 * @param writeThrough every write is stable when it ends
 * @param discard whether discards give space back; otherwise they succeed without effect
 * @param forceShare whatever others do with the image is put up with; only with {@code readOnly}
 * @param options what {@code --image-opts} takes, by dotted names, e.g. {@code driver}, {@code
 *     file.filename}; they win
 * @param policy how far the image is believed
 * @param secrets what the options may refer to as {@code key-secret}
 */
public record DiskOptions(
    @Nullable String name,
    @Nullable String format,
    boolean readOnly,
    boolean cacheDirect,
    boolean cacheNoFlush,
    boolean writeThrough,
    boolean discard,
    boolean forceShare,
    Map<String, String> options,
    OpenPolicy policy,
    DiskSecrets secrets) {

  /** Keeps a copy of the map, in its order. */
  public DiskOptions {
    options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
  }

  /** To read and write an image, with discards giving space back. */
  public static DiskOptions of(String name) {
    return new DiskOptions(
        name,
        null,
        false,
        false,
        false,
        false,
        true,
        false,
        Map.of(),
        OpenPolicy.TRUSTING,
        DiskSecrets.NONE);
  }

  /** To read and write the image in a host file. */
  public static DiskOptions of(Path path) {
    return of("file:" + path);
  }

  /** To read and write what options describe. */
  public static DiskOptions of(Map<String, String> options) {
    return new DiskOptions(
        null,
        null,
        false,
        false,
        false,
        false,
        true,
        false,
        options,
        OpenPolicy.TRUSTING,
        DiskSecrets.NONE);
  }

  public DiskOptions withFormat(@Nullable String value) {
    return new DiskOptions(
        name,
        value,
        readOnly,
        cacheDirect,
        cacheNoFlush,
        writeThrough,
        discard,
        forceShare,
        options,
        policy,
        secrets);
  }

  public DiskOptions withReadOnly(boolean value) {
    return new DiskOptions(
        name,
        format,
        value,
        cacheDirect,
        cacheNoFlush,
        writeThrough,
        discard,
        forceShare,
        options,
        policy,
        secrets);
  }

  public DiskOptions withCacheDirect(boolean value) {
    return new DiskOptions(
        name,
        format,
        readOnly,
        value,
        cacheNoFlush,
        writeThrough,
        discard,
        forceShare,
        options,
        policy,
        secrets);
  }

  public DiskOptions withCacheNoFlush(boolean value) {
    return new DiskOptions(
        name,
        format,
        readOnly,
        cacheDirect,
        value,
        writeThrough,
        discard,
        forceShare,
        options,
        policy,
        secrets);
  }

  public DiskOptions withWriteThrough(boolean value) {
    return new DiskOptions(
        name,
        format,
        readOnly,
        cacheDirect,
        cacheNoFlush,
        value,
        discard,
        forceShare,
        options,
        policy,
        secrets);
  }

  public DiskOptions withDiscard(boolean value) {
    return new DiskOptions(
        name,
        format,
        readOnly,
        cacheDirect,
        cacheNoFlush,
        writeThrough,
        value,
        forceShare,
        options,
        policy,
        secrets);
  }

  public DiskOptions withForceShare(boolean value) {
    return new DiskOptions(
        name,
        format,
        readOnly,
        cacheDirect,
        cacheNoFlush,
        writeThrough,
        discard,
        value,
        options,
        policy,
        secrets);
  }

  public DiskOptions withPolicy(OpenPolicy value) {
    return new DiskOptions(
        name,
        format,
        readOnly,
        cacheDirect,
        cacheNoFlush,
        writeThrough,
        discard,
        forceShare,
        options,
        value,
        secrets);
  }

  /** With an option as {@code --image-opts} takes it, e.g. {@code encrypt.key-secret}. */
  public DiskOptions withOption(String key, String value) {
    Map<String, String> more = new LinkedHashMap<>(options);
    more.put(key, value);
    return new DiskOptions(
        name,
        format,
        readOnly,
        cacheDirect,
        cacheNoFlush,
        writeThrough,
        discard,
        forceShare,
        more,
        policy,
        secrets);
  }

  /**
   * With the passwords of encrypted images. Which one opens what is said by options: {@code
   * withOption("key-secret", NAME)} for LUKS, {@code "encrypt.key-secret"} for qcow2, and {@code
   * "backing.encrypt.key-secret"} for what such an image stands on.
   */
  public DiskOptions withSecrets(DiskSecrets value) {
    return new DiskOptions(
        name,
        format,
        readOnly,
        cacheDirect,
        cacheNoFlush,
        writeThrough,
        discard,
        forceShare,
        options,
        policy,
        value);
  }
}
