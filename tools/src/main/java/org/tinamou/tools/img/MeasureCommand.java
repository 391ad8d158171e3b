package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.OptionException;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.OpenImage;

/** {@code img measure}: tells how much space a new image would take. */
final class MeasureCommand implements ImgCommand {
  private static final String LETTERS = "hf:l:o:O:U";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.withValue("output", ImgOptions.OUTPUT),
          LongOption.withValue("size", ImgOptions.SIZE),
          LongOption.flag("force-share", 'U'));

  private final ImageChoice choice = new ImageChoice();
  private final ImageOptionList options = new ImageOptionList();
  private @Nullable SnapshotChoice snapshot;
  private String targetFormat = ImageFormats.RAW;
  private boolean json;
  private long sizeBytes = -1;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "measure", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'l' -> snapshot = SnapshotChoice.parse(scan.value());
        case 'o' -> options.add(scan.value());
        case 'O' -> targetFormat = scan.value();
        case ImgOptions.OUTPUT -> json = OutputFormat.isJson(scan.value());
        case ImgOptions.SIZE -> sizeBytes = SizeArgument.parse(console, "image size", scan.value());
        default -> choice.take(code, scan);
      }
    }
    String name = imageName(scan.operands());
    if (name == null) {
      checkTarget();
      print(console, (sizeBytes + OpenImage.SECTOR_BYTES - 1) & -OpenImage.SECTOR_BYTES);
      return 0;
    }
    choice.check();
    return LoopRunner.run(
        "measure",
        context -> {
          OpenImage image =
              choice.open(context, console, choice.reading(name, CacheMode.WRITEBACK));
          try {
            if (snapshot != null) {
              throw snapshot.refuse(image);
            }
            checkTarget();
            print(console, image.lengthBytes());
            return 0;
          } finally {
            image.close();
          }
        });
  }

  private @Nullable String imageName(List<String> operands) throws ToolException {
    if (operands.size() > 1) {
      throw new ToolException("At most one filename argument is allowed.");
    }
    if (operands.isEmpty()) {
      if (choice.imageOptions || choice.format != null || snapshot != null) {
        throw new ToolException("--image-opts, -f, and -l require a filename argument.");
      }
      if (sizeBytes < 0) {
        throw new ToolException("Either --size N or one filename must be specified.");
      }
      return null;
    }
    if (sizeBytes >= 0) {
      throw new ToolException("--size N cannot be used together with a filename.");
    }
    return operands.getFirst();
  }

  private void checkTarget() throws ToolException {
    if (!ImageFormats.isKnown(targetFormat)) {
      throw new ToolException("Unknown file format '" + targetFormat + "'");
    }
    if (!ImageFormats.isCreatable(targetFormat)) {
      throw new ToolException(
          "Format driver '" + targetFormat + "' does not support image creation");
    }
    if (!ImageFormats.isMadeHere(targetFormat)) {
      throw new ToolException(ImageFormats.notYet(targetFormat));
    }
    try {
      ImageOptionList.schema(targetFormat).parse(options.text());
    } catch (OptionException e) {
      throw ToolException.of("", e)
          .followedBy("Invalid options for file format '" + targetFormat + "'");
    }
    if (!targetFormat.equals(ImageFormats.RAW)) {
      throw new ToolException(
          "Block driver '" + targetFormat + "' does not support size measurement");
    }
  }

  /** A raw image takes what it shows. */
  private void print(Console console, long lengthBytes) {
    if (json) {
      console.line(
          JsonWriter.pretty(
              new Json.Members().put("required", lengthBytes).put("fully-allocated", lengthBytes)));
    } else {
      console.line("required size: " + lengthBytes);
      console.line("fully allocated size: " + lengthBytes);
    }
  }
}
