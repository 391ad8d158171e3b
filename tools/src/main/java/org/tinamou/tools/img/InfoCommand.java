package org.tinamou.tools.img;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.poller.LinuxHostFiles;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.HumanSize;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ObjectArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.ImageName;
import org.tinamou.tools.image.OpenImage;

/**
 * {@code img info}: describes an image. It reads no data and takes no lock, so it works on images
 * in use and without a loop.
 */
final class InfoCommand implements ImgCommand {
  private static final String LETTERS = ":hf:U";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("format", 'f'),
          LongOption.withValue("output", ImgOptions.OUTPUT),
          LongOption.flag("backing-chain", ImgOptions.BACKING_CHAIN),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force-share", 'U'));

  /** What there is to say about a raw image. */
  private record Facts(String name, String format, long lengthBytes, long allocatedBytes) {}

  private @Nullable String format;
  private boolean chain;
  private boolean imageOpts;
  private @Nullable String output;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "info", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'f' -> format = scan.value();
        case 'U' -> {
          // There is nothing to share: no lock is taken.
        }
        case ImgOptions.OUTPUT -> output = scan.value();
        case ImgOptions.BACKING_CHAIN -> chain = true;
        case ImgOptions.IMAGE_OPTS -> imageOpts = true;
        case ImgOptions.OBJECT -> throw ObjectArgument.refuse(scan.value());
        default -> throw new IllegalStateException("option " + code);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    boolean json = OutputFormat.isJson(output);
    if (imageOpts) {
      throw format == null
          ? ImgOptions.imageOpts()
          : new ToolException("--image-opts and --format are mutually exclusive");
    }
    Facts facts = facts(operands.getFirst());
    if (json) {
      Json members = json(facts);
      console.line(JsonWriter.pretty(chain ? new Json.Array().add(members) : members));
    } else {
      print(console, facts);
    }
    return 0;
  }

  private Facts facts(String name) throws ToolException {
    try {
      if (format != null) {
        ImageFormats.requireOpenable(format);
      }
      String text = ImageName.pathText(name);
      if (text.isEmpty()) {
        throw new BlockException(Errno.EINVAL, "The 'file' block driver requires a file name");
      }
      HostFiles.Status status = status(ImageName.path(name), text);
      String found = format == null ? probe(ImageName.path(name), text, status) : format;
      long length = (status.sizeBytes() + OpenImage.SECTOR_BYTES - 1) & -OpenImage.SECTOR_BYTES;
      return new Facts(text, found, length, status.allocatedBytes());
    } catch (BlockException e) {
      throw ToolException.of("Could not open '" + name + "': ", e);
    }
  }

  private static HostFiles.Status status(Path path, String text) throws BlockException {
    HostFiles files = new LinuxHostFiles();
    HostFiles.Status status;
    try {
      int fd = files.open(path, 0);
      try {
        status = files.status(fd);
      } finally {
        files.close(fd);
      }
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not open '" + text + "'");
    }
    if (status.kind() == HostFiles.Kind.DIRECTORY || status.kind() == HostFiles.Kind.OTHER) {
      throw new BlockException(
          Errno.EINVAL, "'file' driver requires '" + text + "' to be a regular file");
    }
    return status;
  }

  private static String probe(Path path, String text, HostFiles.Status status)
      throws BlockException {
    byte[] header = new byte[ImageFormats.HEADER_BYTES];
    if (status.sizeBytes() > 0) {
      try (FileChannel channel = FileChannel.open(path)) {
        ByteBuffer buffer = ByteBuffer.wrap(header);
        while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
          // The rest of a short file counts as zeroes.
        }
      } catch (IOException e) {
        throw BlockException.of(Errno.EIO, "Could not read image for determining its format");
      }
    }
    String found = ImageFormats.probe(header, text);
    if (found != null) {
      ImageFormats.requireOpenable(found);
    }
    return ImageFormats.RAW;
  }

  private static void print(Console console, Facts facts) {
    console.line("image: " + facts.name());
    console.line("file format: " + facts.format());
    console.line(
        "virtual size: "
            + HumanSize.threeDigits(facts.lengthBytes())
            + " ("
            + facts.lengthBytes()
            + " bytes)");
    console.line("disk size: " + HumanSize.threeDigits(facts.allocatedBytes()));
  }

  private static Json json(Facts facts) {
    return new Json.Members()
        .put("virtual-size", facts.lengthBytes())
        .put("filename", facts.name())
        .put("format", facts.format())
        .put("actual-size", facts.allocatedBytes())
        .put("dirty-flag", false);
  }
}
