package org.tinamou.tools.io;

import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionList;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.OptionText;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** How an image is to be opened, as the tool's options and those of {@code open} say it. */
final class IoOptions {
  @Nullable String format;
  CacheMode cache = CacheMode.WRITETHROUGH;
  boolean readOnly;
  boolean forceShare;
  boolean copyOnRead;
  boolean snapshot;
  boolean ignoreDiscard;
  private boolean nativeAio;
  private @Nullable String driverOptions;

  void cache(String value) throws ToolException {
    cache = CacheArgument.parse("cache option", value);
  }

  void discard(String value) throws ToolException {
    switch (value) {
      case "ignore", "off" -> ignoreDiscard = true;
      case "unmap", "on" -> ignoreDiscard = false;
      default -> throw new ToolException("Invalid discard option: " + value);
    }
  }

  /** The engine is chosen by the loop; only the names are checked. */
  void aio(String value) throws ToolException {
    switch (value) {
      case "threads", "io_uring" -> nativeAio = false;
      case "native" -> nativeAio = true;
      default -> throw new ToolException("Invalid aio option: " + value);
    }
  }

  void nativeAio() {
    nativeAio = true;
  }

  /** Takes options of the image, {@code key=value,...}. */
  void add(Console console, String text) throws ToolException {
    if (OptionList.values(text).containsKey("id")) {
      throw new ToolException("Invalid parameter 'id'");
    }
    addUnchecked(console, text);
  }

  /** Takes the same from the command line, where an image may be told anything. */
  void addUnchecked(Console console, String text) {
    OptionText.spelledOut(console, text, null);
    driverOptions = driverOptions == null ? text : driverOptions + "," + text;
  }

  boolean hasDriverOptions() {
    return driverOptions != null;
  }

  /** What stands in front of the reason why an image cannot be opened. */
  static String refusal(@Nullable String name) {
    return "can't open" + (name == null ? "" : " device " + name) + ": ";
  }

  private static ToolException refused(@Nullable String name, String reason) {
    return new ToolException(refusal(name) + reason);
  }

  /** The request for an image, unless the options contradict each other. */
  OpenRequest request(@Nullable String name) throws ToolException {
    if (copyOnRead && readOnly) {
      throw refused(name, "Can't use copy-on-read on read-only device");
    }
    String options = driverOptions == null ? "" : driverOptions;
    // What is said of the image itself counts more than what is said to the tool.
    boolean writable = !readOnly || "off".equals(OptionList.values(options).get("read-only"));
    String shown = name == null ? options : name;
    OpenRequest request =
        writable
            ? OpenRequest.writing(shown, format, cache)
            : OpenRequest.reading(shown, format, cache);
    request =
        request
            .sharedByForce(forceShare)
            .ignoringDiscard(ignoreDiscard)
            .keepingChangesApart(snapshot);
    return name == null ? request.namedByOptions(true) : request.withOptions(options);
  }

  /** Refuses an open image that cannot be used as wanted. */
  void check(@Nullable String name, OpenImage image) throws ToolException {
    if (nativeAio && image.isHostFile() && !image.isDirect()) {
      throw refused(
          name,
          "aio=native was specified, but it requires cache.direct=on, which was not specified.");
    }
  }
}
