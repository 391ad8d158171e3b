package org.tinamou.tools.img;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.poller.LinuxHostFiles;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.FormatSignatures;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.HumanSize;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
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

  /**
   * What there is to say about an image.
   *
   * @param allocatedBytes -1 if that is not known
   * @param knowsDirtiness whether it can be said to be clean
   */
  private record Facts(
      String name, String format, long lengthBytes, long allocatedBytes, boolean knowsDirtiness) {}

  private final ImageChoice choice = new ImageChoice();
  private boolean chain;
  private @Nullable String output;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "info", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case ImgOptions.OUTPUT -> output = scan.value();
        case ImgOptions.BACKING_CHAIN -> chain = true;
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    boolean json = OutputFormat.isJson(output);
    choice.check();
    String name = operands.getFirst();
    Facts plain = isPlain(name) ? plainFacts(name) : null;
    Facts facts = plain == null ? openedFacts(console, name) : plain;
    if (json) {
      Json members = json(facts);
      console.line(JsonWriter.pretty(chain ? new Json.Array().add(members) : members));
    } else {
      print(console, facts);
    }
    return 0;
  }

  /** Whether the image is a file of the host, which can be described without a loop. */
  private boolean isPlain(String name) {
    int colon = name.indexOf(':');
    boolean hasProtocol = colon >= 0 && name.lastIndexOf('/', colon) < 0;
    String format = choice.format;
    return !choice.imageOptions
        && (!hasProtocol || name.startsWith("file:"))
        && (format == null || format.equals(ImageFormats.RAW) || format.equals(ImageFormats.FILE));
  }

  private Facts openedFacts(Console console, String name) throws ToolException {
    List<Facts> found = new ArrayList<>();
    LoopRunner.run(
        "info",
        context -> {
          OpenImage image =
              choice.open(context, console, choice.reading(name, CacheMode.WRITEBACK));
          try {
            found.add(
                new Facts(
                    image.name(),
                    image.format(),
                    image.lengthBytes(),
                    image.allocatedBytes(),
                    image.isHostFile()));
            return 0;
          } catch (BlockException e) {
            throw ToolException.of("", e);
          } finally {
            image.close();
          }
        });
    return found.getFirst();
  }

  /** Null if the image has a format, so that it must be opened. */
  private @Nullable Facts plainFacts(String name) throws ToolException {
    String format = choice.format;
    try {
      String text = ImageName.pathText(name);
      if (text.isEmpty()) {
        throw new BlockException(Errno.EINVAL, "The 'file' block driver requires a file name");
      }
      HostFiles.Status status = status(ImageName.path(name), text);
      String found = format == null ? probe(ImageName.path(name), text, status) : format;
      if (!found.equals(ImageFormats.RAW) && !found.equals(ImageFormats.FILE)) {
        return null;
      }
      long length = (status.sizeBytes() + OpenImage.SECTOR_BYTES - 1) & -OpenImage.SECTOR_BYTES;
      return new Facts(text, found, length, status.allocatedBytes(), true);
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
    byte[] header = new byte[NodeOpener.PROBE_BYTES];
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
    String found = FormatSignatures.probe(header, text);
    if (found == null) {
      return ImageFormats.RAW;
    }
    ImageFormats.requireOpenable(found);
    return found;
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
    console.line(
        "disk size: "
            + (facts.allocatedBytes() < 0
                ? "unavailable"
                : HumanSize.threeDigits(facts.allocatedBytes())));
  }

  private static Json json(Facts facts) {
    Json.Members members =
        new Json.Members()
            .put("virtual-size", facts.lengthBytes())
            .put("filename", facts.name())
            .put("format", facts.format());
    if (facts.allocatedBytes() >= 0) {
      members.put("actual-size", facts.allocatedBytes());
    }
    if (facts.knowsDirtiness()) {
      members.put("dirty-flag", false);
    }
    return members;
  }
}
