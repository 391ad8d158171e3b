package org.tinamou.tools.io;

import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionList;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.ImageFormats;
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

  /**
   * Takes the driver's options, {@code key=value,...}.
   *
   * @param name the file named beside them, or null
   * @return the file to open
   */
  String driverOptions(String text, @Nullable String name) throws ToolException {
    String file = name;
    for (OptionList.Entry option : OptionList.parse(text)) {
      String value = option.value() == null ? "on" : option.value();
      switch (option.key()) {
        case "driver", "format" -> format = value;
        case "file.driver" -> {
          if (!value.equals(ImageFormats.FILE)) {
            throw refused(name, ImageFormats.notYet(value));
          }
        }
        case "filename", "file.filename" -> {
          if (name != null) {
            throw refused(name, "Can't specify 'file' and 'filename' options at the same time");
          }
          file = value;
        }
        default ->
            throw refused(
                name,
                "Block format '"
                    + (format == null ? ImageFormats.RAW : format)
                    + "' does not support the option '"
                    + option.key()
                    + "'");
      }
    }
    if (file == null) {
      throw refused(null, "Must specify either driver or file");
    }
    return file;
  }

  private static ToolException refused(@Nullable String name, String reason) {
    return new ToolException(
        "can't open" + (name == null ? "" : " device " + name) + ": " + reason);
  }

  /** The request for an image, unless the options contradict each other. */
  OpenRequest request(String name) throws ToolException {
    if (forceShare && !readOnly) {
      throw refused(name, "force-share=on can only be used with read-only images");
    }
    if (copyOnRead && readOnly) {
      throw refused(name, "Can't use copy-on-read on read-only device");
    }
    if (nativeAio && !cache.isDirect()) {
      throw refused(
          name,
          "aio=native was specified, but it requires cache.direct=on, which was not specified.");
    }
    if (snapshot) {
      throw refused(name, "temporary snapshots are not supported by this version of Tinamou");
    }
    return readOnly
        ? OpenRequest.reading(name, format, cache)
        : OpenRequest.writing(name, format, cache);
  }
}
