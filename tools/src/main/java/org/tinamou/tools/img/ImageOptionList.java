package org.tinamou.tools.img;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.ImageCreation;
import org.tinamou.qapi.OptionList;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.ImageName;

/** The options that {@code -o} collects for a new image. */
final class ImageOptionList {
  private @Nullable String text;

  /** Takes the value of one {@code -o}. */
  void add(String options) throws ToolException {
    if (!OptionList.canBeJoined(options)) {
      throw new ToolException("Invalid option list: " + options);
    }
    text = text == null ? options : text + "," + options;
  }

  /**
   * Takes out an option that says how the image is written rather than what it is.
   *
   * @return its value, or null if it was not given
   */
  @Nullable String takeOut(String name) {
    if (text == null) {
      return null;
    }
    Matcher found = Pattern.compile("(^|,)" + name + "=([0-9]+)(?=,|$)").matcher(text);
    if (!found.find()) {
      return null;
    }
    String value = found.group(2);
    String left = found.replaceFirst("");
    text = left.startsWith(",") ? left.substring(1) : left;
    return value;
  }

  boolean isGiven() {
    return text != null;
  }

  String text() {
    return text == null ? "" : text;
  }

  boolean asksForHelp() {
    return text != null && OptionList.asksForHelp(text);
  }

  /** What may be said about a new image in a file. */
  static OptionSchema schema(String format) {
    return ImageCreation.options(format);
  }

  /**
   * Prints the options of a format.
   *
   * @param name the image to be made, which says what lies below the format, or null
   */
  static int printHelp(Console console, String format, @Nullable String name) throws ToolException {
    if (!ImageFormats.isKnown(format)) {
      throw new ToolException("Unknown file format '" + format + "'");
    }
    if (!ImageFormats.isCreatable(format)) {
      throw new ToolException("Format driver '" + format + "' does not support image creation");
    }
    if (!ImageFormats.isSupported(format)) {
      throw new ToolException(ImageFormats.notYet(format));
    }
    if (name != null) {
      try {
        ImageName.pathText(name);
      } catch (org.tinamou.block.BlockException e) {
        throw ToolException.of("", e);
      }
      console.line("Supported options:");
      schema(format).help().forEach(console::line);
      return 0;
    }
    OptionSchema alone = ImageCreation.formatOptions(format);
    console.line("Supported " + format + " options:");
    alone.help().forEach(console::line);
    console.line("");
    console.line("The protocol level may support further options.");
    console.line("Specify the target filename to include those options.");
    return 0;
  }
}
