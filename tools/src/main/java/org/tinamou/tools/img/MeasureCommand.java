package org.tinamou.tools.img;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.format.luks.LuksCreator;
import org.tinamou.drivers.format.qcow2.Qcow2Measure;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.MemberOrder;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.SnapshotChoice;

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
          ImgOptions.SHARED_OPTION,
          LongOption.flag("force-share", 'U'));

  /**
   * What a new image takes.
   *
   * @param bitmapBytes for bitmaps of the image that is copied, or -1 if it cannot hold any
   */
  private record Estimate(long requiredBytes, long fullBytes, long bitmapBytes) {}

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
      long size = (sizeBytes + OpenImage.SECTOR_BYTES - 1) & -OpenImage.SECTOR_BYTES;
      OptionValues values = target();
      try {
        print(console, estimate(values, size, null));
      } catch (BlockException e) {
        throw ToolException.of("", e);
      } catch (OptionException e) {
        throw ToolException.of("", e);
      }
      return 0;
    }
    choice.check();
    return choice.sharing(console, name, () -> measure(console, name));
  }

  private int measure(Console console, String name) throws ToolException {
    return LoopRunner.run(
        "measure",
        context -> {
          OpenImage image =
              choice.open(context, console, choice.reading(name, CacheMode.WRITEBACK));
          try {
            if (snapshot != null) {
              snapshot.show(image);
            }
            print(console, estimate(target(), image.lengthBytes(), image));
            return 0;
          } catch (BlockException e) {
            throw ToolException.of("", e);
          } catch (OptionException e) {
            throw ToolException.of("", e);
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

  private OptionValues target() throws ToolException {
    if (!ImageFormats.isKnown(targetFormat)) {
      throw new ToolException("Unknown file format '" + targetFormat + "'");
    }
    if (!ImageFormats.isCreatable(targetFormat)) {
      throw new ToolException(
          "Format driver '" + targetFormat + "' does not support image creation");
    }
    if (!ImageFormats.isSupported(targetFormat)) {
      throw new ToolException(ImageFormats.notYet(targetFormat));
    }
    try {
      return ImageOptionList.schema(targetFormat).parse(options.text());
    } catch (OptionException e) {
      throw ToolException.of("", e)
          .followedBy("Invalid options for file format '" + targetFormat + "'");
    }
  }

  /**
   * How large the new image becomes.
   *
   * @param image what is to be copied, or null for an empty image
   */
  private Estimate estimate(OptionValues values, long lengthBytes, @Nullable OpenImage image)
      throws ToolException, OptionException, BlockException {
    if (targetFormat.equals(ImageFormats.RAW)) {
      return new Estimate(lengthBytes, lengthBytes, -1);
    }
    if (targetFormat.equals(ImageFormats.LUKS)) {
      long bytes = LuksCreator.headerBytes(values, choice.objects()) + lengthBytes;
      return new Estimate(bytes, bytes, -1);
    }
    if (!targetFormat.equals(ImageFormats.QCOW2)) {
      throw new ToolException(
          "Block driver '" + targetFormat + "' does not support size measurement");
    }
    if (values.has("encrypt.format")) {
      LuksCreator.password(
          choice.objects(), "encrypt.key-secret", values.string("encrypt.key-secret"));
    }
    Qcow2Measure measure = Qcow2Measure.of(values);
    long metadata = measure.metadataBytes(lengthBytes);
    long all = measure.wholeClusters(lengthBytes);
    long data = 0;
    if (measure.takesAll()) {
      data = all;
    } else if (image != null) {
      data = dataBytes(image, measure.clusterBytes());
    }
    long bitmaps =
        image != null && canHaveBitmaps(image) && measure.version3()
            ? bitmapBytes(image, measure)
            : -1;
    return new Estimate(metadata + data, metadata + all, bitmaps);
  }

  private static long bitmapBytes(OpenImage image, Qcow2Measure measure) {
    List<String> names = new ArrayList<>();
    long bytes = 0;
    for (DirtyBitmap bitmap : image.bitmaps().all()) {
      if (bitmap.isPersistent()) {
        names.add(String.valueOf(bitmap.name()));
        bytes += measure.bitmapBytes(bitmap.sizeBytes(), bitmap.granularityBytes());
      }
    }
    return bytes + measure.directoryBytes(names);
  }

  private static boolean canHaveBitmaps(OpenImage image) {
    ImageDescription description = image.description();
    return description != null && description.specific().members().containsKey("extended-l2");
  }

  /** The clusters that a copy needs. */
  private static long dataBytes(OpenImage image, long clusterBytes) throws BlockException {
    long length = image.lengthBytes();
    long bytes = 0;
    for (long offset = 0; offset < length; ) {
      Extent extent = image.extentInChain(offset, length - offset);
      long end = offset + extent.lengthBytes();
      if (extent.data() && extent.present() && !extent.zero()) {
        end = (end + clusterBytes - 1) / clusterBytes * clusterBytes;
        bytes += end - offset / clusterBytes * clusterBytes;
      }
      offset = end;
    }
    return bytes;
  }

  private void print(Console console, Estimate estimate) {
    if (json) {
      Json.Members members =
          new Json.Members()
              .put("required", estimate.requiredBytes())
              .put("fully-allocated", estimate.fullBytes());
      if (estimate.bitmapBytes() >= 0) {
        members.put("bitmaps", estimate.bitmapBytes());
      }
      console.line(JsonWriter.pretty(MemberOrder.sorted(members)));
      return;
    }
    console.line("required size: " + estimate.requiredBytes());
    console.line("fully allocated size: " + estimate.fullBytes());
    if (estimate.bitmapBytes() >= 0) {
      console.line("bitmaps size: " + estimate.bitmapBytes());
    }
  }
}
