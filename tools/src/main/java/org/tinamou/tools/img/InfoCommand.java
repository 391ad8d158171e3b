package org.tinamou.tools.img;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.ImagePolicy;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/**
 * {@code img info}: describes an image. It reads no data, and of most images only the beginning,
 * for which it needs neither a loop nor a native call.
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
          ImgOptions.SHARED_OPTION,
          LongOption.flag("force-share", 'U'));

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
    return choice.sharing(console, name, () -> describe(console, name, json));
  }

  private int describe(Console console, String name, boolean json) throws ToolException {
    List<ImageInfo> images = collect(console, name);
    if (json) {
      Json.Array all = new Json.Array();
      images.forEach(image -> all.add(InfoReport.json(image)));
      console.line(JsonWriter.pretty(chain ? all : all.elements().getFirst()));
    } else {
      for (int index = 0; index < images.size(); index++) {
        if (index > 0) {
          console.line("");
        }
        InfoReport.print(console, images.get(index));
      }
    }
    return 0;
  }

  /** The image, and those below it if they are wanted too. */
  private List<ImageInfo> collect(Console console, String first) throws ToolException {
    List<ImageInfo> images = new ArrayList<>();
    Set<Object> seen = new HashSet<>();
    String name = first;
    String format = choice.format;
    boolean byOptions = choice.imageOptions;
    ImagePolicy policy = console.imagePolicy();
    if (chain && policy != null && policy.references() != ImagePolicy.References.ANY) {
      opened(console, name, format, byOptions, true); // which is refused if it names too much
    }
    while (name != null) {
      if (!seen.add(identity(name))) {
        throw new ToolException("Backing file '" + name + "' creates an infinite loop.");
      }
      ImageInfo image = describe(console, name, format, byOptions);
      images.add(image);
      if (!chain) {
        break;
      }
      name = image.fullBackingName();
      if (name == null && image.backingName() != null) {
        throw new ToolException(
            "Could not determine absolute backing filename, but backing filename '"
                + image.backingName()
                + "' present");
      }
      ImageDescription description = image.description();
      format = description == null ? null : description.backingFormat();
      byOptions = false;
    }
    return images;
  }

  /** What a name stands for: the file, if it names one, whatever it calls it. */
  private static Object identity(String name) {
    try {
      return Path.of(name).toRealPath();
    } catch (IOException | InvalidPathException e) {
      return name;
    }
  }

  private ImageInfo describe(
      Console console, String name, @Nullable String format, boolean byOptions)
      throws ToolException {
    if (byOptions || !PlainImage.isPlain(name, format)) {
      return opened(console, name, format, byOptions, false);
    }
    try {
      ImageInfo image = PlainImage.describe(name, format, choice.forceShare);
      ImageDescription description = image.description();
      return description != null && description.hasMore()
          ? opened(console, name, image.format(), false, false)
          : image;
    } catch (BlockException e) {
      throw ToolException.of("Could not open '" + name + "': ", e);
    }
  }

  private ImageInfo opened(
      Console console, String name, @Nullable String format, boolean byOptions, boolean withBacking)
      throws ToolException {
    List<ImageInfo> found = new ArrayList<>();
    OpenRequest request =
        OpenRequest.reading(name, format, CacheMode.WRITEBACK)
            .sharedByForce(choice.forceShare)
            .namedByOptions(byOptions);
    OpenRequest wanted = withBacking ? request : request.withoutBacking();
    LoopRunner.run(
        "info",
        context -> {
          OpenImage image = choice.open(context, console, wanted);
          try {
            InternalSnapshots snapshots = image.internalSnapshots();
            found.add(
                new ImageInfo(
                    image.name(),
                    image.place(),
                    image.format(),
                    image.lengthBytes(),
                    image.allocatedBytes(),
                    image.isHostFile(),
                    image.description(),
                    snapshots == null ? List.of() : snapshots.snapshots()));
            return 0;
          } catch (BlockException e) {
            throw ToolException.of("", e);
          } finally {
            image.close();
          }
        });
    return found.getFirst();
  }
}
