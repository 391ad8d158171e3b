package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
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
  private static final String LETTERS = ":hf:F:b:upt:T:qU";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force-share", 'U'));

  private final ImageChoice choice = new ImageChoice();
  private String cacheName = "writeback";
  private String sourceCacheName = "writeback";
  private @Nullable String base;
  private @Nullable String baseFormat;
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
          OpenRequest.writing(name, choice.format, cache).namedByOptions(choice.imageOptions);
      return LoopRunner.run(
          "rebase",
          context -> {
            OpenImage image = choice.open(context, console, request);
            try {
              rebase(context, sourceCache, progress);
            } finally {
              image.close();
            }
            throw refuse();
          });
    } finally {
      progress.end();
    }
  }

  /** Everything that comes before the image would have to say what it is based on. */
  private void rebase(AioContext context, CacheMode sourceCache, Progress progress)
      throws ToolException {
    if (baseFormat != null && !ImageFormats.isKnown(baseFormat)) {
      throw new ToolException("Invalid format name: '" + baseFormat + "'");
    }
    if (!unsafe && base != null && !base.isEmpty()) {
      OpenRequest request =
          OpenRequest.reading(base, baseFormat, sourceCache).sharedByForce(choice.forceShare);
      try {
        OpenImage.open(context, request).close();
      } catch (BlockException e) {
        throw ToolException.of("Could not open new backing file '" + base + "': ", e);
      }
    }
    // All of a raw image is its own: there is nothing to copy into it.
    progress.set(100);
  }

  private ToolException refuse() {
    boolean formatMissing = base != null && !base.isEmpty() && baseFormat == null;
    return new ToolException(
        "Could not change the backing file to '"
            + (base == null ? "(null)" : base)
            + "': "
            + (formatMissing ? "backing format must be specified" : "Operation not supported"));
  }
}
