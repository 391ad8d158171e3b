package org.tinamou.tools.img;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img convert}: copies images into a new or existing one. */
final class ConvertCommand implements ImgCommand {
  private @Nullable ConvertOptions parsed;

  private ConvertOptions options() {
    return Objects.requireNonNull(parsed);
  }

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ConvertOptions options = new ConvertOptions(console);
    parsed = options;
    options.parse(arguments);
    if (options.help) {
      return ImgHelp.print(console);
    }
    options.check();
    List<String> operands = options.operands;
    String targetName = operands.size() < 2 ? null : operands.getLast();
    if (options.creation.asksForHelp()) {
      return ImageOptionList.printHelp(console, options.targetFormat, targetName);
    }
    if (operands.size() < 2) {
      throw new ToolException("Must specify image file name");
    }
    Progress progress = new Progress(console, options.showsProgress(), 1);
    progress.set(0);
    try {
      options.checkImages();
      return LoopRunner.run("convert", context -> convert(context, console, operands, progress));
    } finally {
      progress.end();
    }
  }

  private int convert(AioContext context, Console console, List<String> operands, Progress progress)
      throws ToolException {
    List<OpenImage> sources = new ArrayList<>();
    try {
      CacheMode cache = CacheArgument.parse("source cache option", options().sourceCache);
      for (String name : operands.subList(0, operands.size() - 1)) {
        OpenRequest request =
            OpenRequest.reading(name, options().sourceFormat, cache)
                .namedByOptions(options().imageOpts)
                .sharedByForce(options().forceShare);
        OpenRequest kept = options().forceShare ? request : request.exclusive();
        sources.add(options().choice.open(context, console, kept));
      }
      SourceChain source = new SourceChain(sources);
      OptionValues creation = checkTarget(sources);
      String targetName = operands.getLast();
      if (!options().existing) {
        NewImage.create(
            context,
            targetName,
            creation.with("size", Long.toString(source.lengthBytes())),
            targetName + ": error while converting " + options().targetFormat + ": ");
      }
      CacheMode targetCache = CacheArgument.parse("cache option", options().cache);
      options().checkTarget();
      boolean byOptions = options().targetImageOpts;
      OpenRequest request =
          OpenRequest.writing(targetName, byOptions ? null : options().targetFormat, targetCache)
              .namedByOptions(byOptions);
      OpenImage target = options().choice.open(context, console, request);
      try {
        copy(context, console, source, target, progress);
      } finally {
        target.close();
      }
      progress.set(100);
      return 0;
    } finally {
      sources.forEach(OpenImage::close);
    }
  }

  /** Checks what concerns the target, in the order in which the reference looks. */
  private OptionValues checkTarget(List<OpenImage> sources) throws ToolException {
    ConvertOptions options = options();
    if (options.snapshot != null) {
      throw options.snapshot.refuse(sources.getFirst());
    }
    String format = options.targetFormat;
    boolean opensOnly = options.existing;
    if (!opensOnly) {
      NewImage.checkFormat(format);
      NewImage.checkName(options.operands.getLast());
    }
    OptionValues creation;
    try {
      creation =
          ImageOptionList.schema(opensOnly ? ImageFormats.RAW : format)
              .parse(options.creation.text());
    } catch (OptionException e) {
      throw ToolException.of("", e);
    }
    if (!opensOnly && options.backing != null) {
      throw new ToolException("Backing file not supported for file format '" + format + "'");
    }
    if (!opensOnly && options.backingFormat != null) {
      throw new ToolException("Backing file format not supported for file format '" + format + "'");
    }
    if (!opensOnly && options.compressed) {
      throw cannotCompress();
    }
    if (options.bitmaps) {
      throw new ToolException("Source lacks bitmap support");
    }
    return creation;
  }

  private static ToolException cannotCompress() {
    return new ToolException("Compression not supported for this file format");
  }

  private void copy(
      AioContext context, Console console, SourceChain source, OpenImage target, Progress progress)
      throws ToolException {
    ConvertOptions options = options();
    if (target.lengthBytes() < source.lengthBytes()) {
      throw new ToolException("output file is smaller than input file");
    }
    if (options.compressed) {
      throw cannotCompress();
    }
    boolean targetIsZero = options.targetIsZero || (!options.existing && target.isFile());
    new Converter(
            context,
            console,
            source,
            target,
            new ConvertPlan(
                options.sparseBytes,
                options.workers,
                options.inOrder,
                options.offload,
                options.salvage,
                targetIsZero,
                options.bytesPerSecond),
            progress)
        .convert();
  }
}
