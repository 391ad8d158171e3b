package org.tinamou.tools.img;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.BackingName;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionList;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img commit}: moves an image's changes into the one behind it, which needs one there. */
final class CommitCommand implements ImgCommand {
  private static final String LETTERS = ":f:ht:b:dpqr:";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS));

  private static final String BASE_NODE = "commit-base";

  private final ImageChoice choice = new ImageChoice();
  private String cacheName = "writeback";
  private @Nullable String base;
  private boolean keepsTop;
  private boolean progressWanted;
  private boolean quiet;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "commit", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 't' -> cacheName = scan.value();
        case 'b' -> base = scan.value();
        case 'd' -> keepsTop = true;
        case 'p' -> progressWanted = true;
        case 'q' -> quiet = true;
        case 'r' -> SizeArgument.parse(console, "rate limit", scan.value());
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    String name = operands.getFirst();
    CacheMode cache = CacheArgument.parse("cache option", cacheName);
    choice.check();
    Progress progress = new Progress(console, progressWanted && !quiet, 1);
    return LoopRunner.run("commit", context -> commit(context, console, name, cache, progress));
  }

  private int commit(
      AioContext context, Console console, String name, CacheMode cache, Progress progress)
      throws ToolException {
    OpenRequest request = choice.writing(name, cache).under(console.imagePolicy());
    OpenImage first = choice.open(context, console, request);
    List<OpenImage.Layer> layers = first.layersBelow();
    String exactName = first.exactName();
    first.close();
    progress.set(0);
    int index = base == null ? 0 : find(exactName, layers, base);
    if (layers.isEmpty() || index < 0) {
      progress.end();
      throw new ToolException(
          base == null
              ? "Image does not have a backing file"
              : "Did not find '" + base + "' in the backing chain of '" + name + "'");
    }
    try {
      commit(context, request, layers.get(index), index, progress);
    } catch (BlockException e) {
      progress.end();
      throw ToolException.of("", e);
    }
    progress.set(100);
    progress.end();
    if (!quiet) {
      console.line("Image committed.");
    }
    return 0;
  }

  /** The base is opened once, to be written to, and is what the images above it stand on. */
  private void commit(
      AioContext context, OpenRequest request, OpenImage.Layer layer, int index, Progress progress)
      throws BlockException {
    OpenImage target =
        OpenImage.open(
            context,
            OpenRequest.writing(layer.name(), layer.format(), request.cache())
                .withOptions("node-name=" + BASE_NODE)
                .under(request.policy()),
            choice.objects());
    try {
      String below = "backing.".repeat(index) + "backing=" + BASE_NODE;
      OpenRequest onBase =
          request.imageOptions()
              ? request.renamed(without(request.name(), "backing.".repeat(index + 1)) + "," + below)
              : request.withOptions(below);
      OpenImage image = target.openBeside(context, onBase);
      try {
        try {
          new Committer(image, target, index + 1, progress).commit();
        } catch (BlockException e) {
          throw new BlockException(e.errno(), "Block job failed: " + e.errno().message());
        }
        OverlayImage overlay = image.overlay();
        if (!keepsTop && base == null && overlay != null) {
          empty(overlay, image, request.name());
        }
      } finally {
        image.close();
      }
    } finally {
      target.close();
    }
  }

  private static void empty(OverlayImage overlay, OpenImage image, String name)
      throws BlockException {
    try {
      overlay.makeEmpty();
      image.flush();
    } catch (BlockException e) {
      throw new BlockException(e.errno(), "Failed to empty " + name + ": " + e.errno().message());
    }
  }

  /** Options without those of the base, which is open already. */
  private static String without(String options, String prefix) {
    StringBuilder kept = new StringBuilder();
    for (OptionList.Entry entry : OptionList.parse(options)) {
      if (!entry.key().startsWith(prefix)) {
        String value = entry.value();
        kept.append(kept.isEmpty() ? "" : ",").append(entry.key());
        kept.append(value == null ? "" : "=" + value.replace(",", ",,"));
      }
    }
    return kept.toString();
  }

  /** Names are relative to the place of the image that stands on what they name. */
  private static int find(String top, List<OpenImage.Layer> layers, String wanted) {
    String above = top;
    for (int index = 0; index < layers.size(); index++) {
      String layer = layers.get(index).name();
      try {
        if (isSame(layer, BackingName.resolve(above, wanted))) {
          return index;
        }
      } catch (BlockException e) {
        // Where the image above has no place, only the very name will do.
        if (layer.equals(wanted)) {
          return index;
        }
      }
      above = layer;
    }
    return -1;
  }

  /** Whether both name the same file. */
  private static boolean isSame(String name, String other) {
    if (name.equals(other)) {
      return true;
    }
    try {
      return Files.isSameFile(Path.of(name), Path.of(other));
    } catch (IOException | InvalidPathException e) {
      return false;
    }
  }
}
