package org.tinamou.tools.image;

import org.jspecify.annotations.Nullable;
import org.tinamou.block.open.ImagePolicy;
import org.tinamou.drivers.protocol.file.CacheMode;

/** How a tool wants an image opened. Immutable: what refines a request gives another one. */
public final class OpenRequest {
  private String name;
  private @Nullable String format;
  private String options = "";
  private boolean writable;
  private CacheMode cache;
  private boolean keepOthersFromChanging;
  private boolean forceShare;
  private boolean imageOptions;
  private boolean resizing;
  private boolean ignoreDiscard;
  private boolean temporary;
  private boolean alone;
  private boolean forCheck;
  private ImagePolicy policy = ImagePolicy.TRUSTING;

  private OpenRequest(String name, @Nullable String format, boolean writable, CacheMode cache) {
    this.name = name;
    this.format = format;
    this.writable = writable;
    this.cache = cache;
  }

  private OpenRequest copy() {
    OpenRequest copy = new OpenRequest(name, format, writable, cache);
    copy.options = options;
    copy.keepOthersFromChanging = keepOthersFromChanging;
    copy.forceShare = forceShare;
    copy.imageOptions = imageOptions;
    copy.resizing = resizing;
    copy.ignoreDiscard = ignoreDiscard;
    copy.temporary = temporary;
    copy.alone = alone;
    copy.forCheck = forCheck;
    copy.policy = policy;
    return copy;
  }

  /** To read it while others may do what they like. */
  public static OpenRequest reading(String name, @Nullable String format, CacheMode cache) {
    return new OpenRequest(name, format, false, cache);
  }

  /** To read and write it while others may do what they like. */
  public static OpenRequest writing(String name, @Nullable String format, CacheMode cache) {
    return new OpenRequest(name, format, true, cache);
  }

  /** The same, keeping others from writing. */
  public OpenRequest exclusive() {
    OpenRequest copy = copy();
    copy.keepOthersFromChanging = true;
    return copy;
  }

  /** The same, putting up with whatever others do if {@code shared}. */
  public OpenRequest sharedByForce(boolean shared) {
    OpenRequest copy = copy();
    copy.forceShare = shared;
    return copy;
  }

  /** The same with the name taken for a list of options if {@code options}. */
  public OpenRequest namedByOptions(boolean namedSo) {
    OpenRequest copy = copy();
    copy.imageOptions = namedSo;
    return copy;
  }

  /** To change its length as well. */
  public OpenRequest forResizing() {
    OpenRequest copy = copy();
    copy.writable = true;
    copy.resizing = true;
    return copy;
  }

  /** The same with discards ignored if {@code ignored}. */
  public OpenRequest ignoringDiscard(boolean ignored) {
    OpenRequest copy = copy();
    copy.ignoreDiscard = ignored;
    return copy;
  }

  /** The same by another name. */
  public OpenRequest renamed(String otherName) {
    OpenRequest copy = copy();
    copy.name = otherName;
    return copy;
  }

  /** The same with options besides the name, {@code key=value,...}. */
  public OpenRequest withOptions(String moreOptions) {
    OpenRequest copy = copy();
    copy.options = moreOptions;
    return copy;
  }

  /** The same with changes kept apart if {@code apart}. */
  public OpenRequest keepingChangesApart(boolean apart) {
    OpenRequest copy = copy();
    copy.temporary = apart;
    return copy;
  }

  /** The same without what lies below it. */
  public OpenRequest withoutBacking() {
    OpenRequest copy = copy();
    copy.alone = true;
    return copy;
  }

  /** To be checked. */
  public OpenRequest toBeChecked() {
    OpenRequest copy = copy();
    copy.forCheck = true;
    return copy;
  }

  /** The same with images believed as far as {@code believed} says; null changes nothing. */
  public OpenRequest under(@Nullable ImagePolicy believed) {
    if (believed == null) {
      return this;
    }
    OpenRequest copy = copy();
    copy.policy = believed;
    return copy;
  }

  /** As the user wrote it. */
  public String name() {
    return name;
  }

  /** Null to look at the image's beginning. */
  public @Nullable String format() {
    return format;
  }

  /** What was said of the image besides its name, {@code key=value,...}. */
  public String options() {
    return options;
  }

  /** Whether it is going to be written to. */
  public boolean writable() {
    return writable;
  }

  /** How writes reach the disk. */
  public CacheMode cache() {
    return cache;
  }

  /** Nobody else may write to it or change its size meanwhile. */
  public boolean keepOthersFromChanging() {
    return keepOthersFromChanging;
  }

  /** Whatever others do with it is accepted, and no lock is taken; for reading only. */
  public boolean forceShare() {
    return forceShare;
  }

  /** The name is a list of options, {@code key=value,...}, not a file's name. */
  public boolean imageOptions() {
    return imageOptions;
  }

  /** Its length is going to be changed. */
  public boolean resizing() {
    return resizing;
  }

  /** Discards succeed without effect. */
  public boolean ignoreDiscard() {
    return ignoreDiscard;
  }

  /** What is written is kept apart, and lost when the image is closed. */
  public boolean temporary() {
    return temporary;
  }

  /** What the image names as being below it is not opened. */
  public boolean alone() {
    return alone;
  }

  /** How far the image is believed. */
  public ImagePolicy policy() {
    return policy;
  }

  /** It is opened to be checked, so that damage is no reason to refuse it. */
  public boolean forCheck() {
    return forCheck;
  }
}
