package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.BackingName;
import org.tinamou.block.open.ImagePolicy;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img rebase}: puts an image on another one, which needs a format that names one. */
final class RebaseCommand implements ImgCommand {
  private static final String LETTERS = ":hf:F:b:upt:T:qUc";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("compress", 'c'),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force-share", 'U'));

  private final ImageChoice choice = new ImageChoice();
  private @Nullable ImagePolicy policy;
  private String cacheName = "writeback";
  private String sourceCacheName = "writeback";
  private @Nullable String base;
  private @Nullable String baseFormat;
  private boolean compressed;
  private boolean unsafe;
  private boolean progressWanted;
  private boolean quiet;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "rebase", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'F' -> baseFormat = scan.value();
        case 'b' -> base = scan.value();
        case 'c' -> compressed = true;
        case 'u' -> unsafe = true;
        case 'p' -> progressWanted = true;
        case 't' -> cacheName = scan.value();
        case 'T' -> sourceCacheName = scan.value();
        case 'q' -> quiet = true;
        default -> choice.take(code, scan);
      }
    }
    if (quiet) {
      progressWanted = false;
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    if (!unsafe && base == null) {
      throw ImgOptions.usage(console, "Must specify backing file (-b) or use unsafe mode (-u)");
    }
    String name = operands.getFirst();
    Progress progress = new Progress(console, progressWanted, 1);
    progress.set(0);
    try {
      CacheMode cache = CacheArgument.parse("cache option", cacheName);
      CacheMode sourceCache = CacheArgument.parse("source cache option", sourceCacheName);
      choice.check();
      OpenRequest request =
          OpenRequest.writing(name, choice.format, cache)
              .namedByOptions(choice.imageOptions)
              .under(console.imagePolicy());
      policy = request.policy();
      return LoopRunner.run(
          "rebase",
          context -> {
            OpenRequest wanted = unsafe ? request.withoutBacking() : request;
            OpenImage image = choice.open(context, console, wanted);
            try {
              rebase(context, image, sourceCache, progress);
              change(image);
            } finally {
              image.close();
            }
            return 0;
          });
    } finally {
      progress.end();
    }
  }

  /** Everything that comes before the image says what it is based on. */
  private void rebase(AioContext context, OpenImage image, CacheMode sourceCache, Progress progress)
      throws ToolException {
    if (baseFormat != null && !ImageFormats.isKnown(baseFormat)) {
      throw new ToolException("Invalid format name: '" + baseFormat + "'");
    }
    OpenImage after = null;
    OpenImage before = null;
    try {
      if (!unsafe && base != null && !base.isEmpty()) {
        after = openNew(context, image, base, sourceCache);
      }
      if (!unsafe && image.overlay() != null) {
        List<OpenImage.Layer> layers = image.layersBelow();
        if (!layers.isEmpty()) {
          OpenImage.Layer layer = layers.getFirst();
          before =
              OpenImage.open(
                  context,
                  OpenRequest.reading(layer.name(), layer.format(), sourceCache).under(policy),
                  choice.objects());
        }
        new Rebaser(image, before, after, compressed, progress).copyDifferences();
      }
    } catch (BlockException e) {
      throw ToolException.of("", e);
    } finally {
      if (before != null) {
        before.close();
      }
      if (after != null) {
        after.close();
      }
    }
    // All of a raw image is its own: there is nothing to copy into it.
    progress.set(100);
  }

  private OpenImage openNew(AioContext context, OpenImage image, String name, CacheMode sourceCache)
      throws ToolException {
    try {
      String full = name.startsWith("json:") ? name : BackingName.resolve(image.exactName(), name);
      OpenRequest request =
          OpenRequest.reading(full, baseFormat, sourceCache)
              .sharedByForce(choice.forceShare)
              .under(policy);
      return OpenImage.open(context, request, choice.objects());
    } catch (BlockException e) {
      throw ToolException.of("Could not open new backing file '" + name + "': ", e);
    }
  }

  private void change(OpenImage image) throws ToolException {
    OverlayImage overlay = image.overlay();
    boolean names = base != null && !base.isEmpty();
    String what = "Could not change the backing file to '" + (base == null ? "(null)" : base);
    if (names && baseFormat == null) {
      throw new ToolException(what + "': backing format must be specified");
    }
    if (overlay == null) {
      throw new ToolException(what + "': Operation not supported");
    }
    try {
      overlay.changeBacking(names ? base : null, names ? baseFormat : null);
    } catch (BlockException e) {
      throw new ToolException(
          what
              + "': "
              + (e.errno() == Errno.ENOSPC
                  ? "No space left in the file header"
                  : e.errno().message()));
    }
  }
}
