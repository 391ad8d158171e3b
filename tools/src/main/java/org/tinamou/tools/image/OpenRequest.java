package org.tinamou.tools.image;

import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.protocol.file.CacheMode;

/**
 * How a tool wants an image opened.
 *
 * @param name as the user wrote it
 * @param format null to look at the image's beginning
 * @param options what was said of the image besides its name, {@code key=value,...}
 * @param cache how writes reach the disk
 * @param keepOthersFromChanging nobody else may write to it or change its size meanwhile
 * @param forceShare whatever others do with it is accepted, and no lock is taken; for reading only
 * @param imageOptions the name is a list of options, {@code key=value,...}, not a file's name
 * @param resizing its length is going to be changed
 * @param ignoreDiscard discards succeed without effect
 * @param temporary what is written is kept apart, and lost when the image is closed
 * @param alone what the image names as being below it is not opened
 * @param forCheck it is opened to be checked, so that damage is no reason to refuse it
 */
public record OpenRequest(
    String name,
    @Nullable String format,
    String options,
    boolean writable,
    CacheMode cache,
    boolean keepOthersFromChanging,
    boolean forceShare,
    boolean imageOptions,
    boolean resizing,
    boolean ignoreDiscard,
    boolean temporary,
    boolean alone,
    boolean forCheck) {

  /** To read it while others may do what they like. */
  public static OpenRequest reading(String name, @Nullable String format, CacheMode cache) {
    return new OpenRequest(
        name, format, "", false, cache, false, false, false, false, false, false, false, false);
  }

  /** To read and write it while others may do what they like. */
  public static OpenRequest writing(String name, @Nullable String format, CacheMode cache) {
    return new OpenRequest(
        name, format, "", true, cache, false, false, false, false, false, false, false, false);
  }

  /** The same, keeping others from writing. */
  public OpenRequest exclusive() {
    return new OpenRequest(
        name,
        format,
        options,
        writable,
        cache,
        true,
        forceShare,
        imageOptions,
        resizing,
        ignoreDiscard,
        temporary,
        alone,
        forCheck);
  }

  /** The same, putting up with whatever others do if {@code shared}. */
  public OpenRequest sharedByForce(boolean shared) {
    return new OpenRequest(
        name,
        format,
        options,
        writable,
        cache,
        keepOthersFromChanging,
        shared,
        imageOptions,
        resizing,
        ignoreDiscard,
        temporary,
        alone,
        forCheck);
  }

  /** The same with the name taken for a list of options if {@code options}. */
  public OpenRequest namedByOptions(boolean namedSo) {
    return new OpenRequest(
        name,
        format,
        options,
        writable,
        cache,
        keepOthersFromChanging,
        forceShare,
        namedSo,
        resizing,
        ignoreDiscard,
        temporary,
        alone,
        forCheck);
  }

  /** To change its length as well. */
  public OpenRequest forResizing() {
    return new OpenRequest(
        name,
        format,
        options,
        true,
        cache,
        keepOthersFromChanging,
        forceShare,
        imageOptions,
        true,
        ignoreDiscard,
        temporary,
        alone,
        forCheck);
  }

  /** The same with discards ignored if {@code ignored}. */
  public OpenRequest ignoringDiscard(boolean ignored) {
    return new OpenRequest(
        name,
        format,
        options,
        writable,
        cache,
        keepOthersFromChanging,
        forceShare,
        imageOptions,
        resizing,
        ignored,
        temporary,
        alone,
        forCheck);
  }

  /** The same by another name. */
  public OpenRequest renamed(String otherName) {
    return new OpenRequest(
        otherName,
        format,
        options,
        writable,
        cache,
        keepOthersFromChanging,
        forceShare,
        imageOptions,
        resizing,
        ignoreDiscard,
        temporary,
        alone,
        forCheck);
  }

  /** The same with options besides the name, {@code key=value,...}. */
  public OpenRequest withOptions(String moreOptions) {
    return new OpenRequest(
        name,
        format,
        moreOptions,
        writable,
        cache,
        keepOthersFromChanging,
        forceShare,
        imageOptions,
        resizing,
        ignoreDiscard,
        temporary,
        alone,
        forCheck);
  }

  /** The same with changes kept apart if {@code apart}. */
  public OpenRequest keepingChangesApart(boolean apart) {
    return new OpenRequest(
        name,
        format,
        options,
        writable,
        cache,
        keepOthersFromChanging,
        forceShare,
        imageOptions,
        resizing,
        ignoreDiscard,
        apart,
        alone,
        forCheck);
  }

  /** The same without what lies below it. */
  public OpenRequest withoutBacking() {
    return new OpenRequest(
        name,
        format,
        options,
        writable,
        cache,
        keepOthersFromChanging,
        forceShare,
        imageOptions,
        resizing,
        ignoreDiscard,
        temporary,
        true,
        forCheck);
  }

  /** To be checked. */
  public OpenRequest toBeChecked() {
    return new OpenRequest(
        name,
        format,
        options,
        writable,
        cache,
        keepOthersFromChanging,
        forceShare,
        imageOptions,
        resizing,
        ignoreDiscard,
        temporary,
        alone,
        true);
  }
}
