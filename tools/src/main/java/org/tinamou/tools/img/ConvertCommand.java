package org.tinamou.tools.img;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.drivers.protocol.file.FileCreator;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.ImageName;
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
        OpenRequest request = OpenRequest.reading(name, options().sourceFormat, cache);
        sources.add(open(context, options().forceShare ? request : request.exclusive()));
      }
      SourceChain source = new SourceChain(sources);
      OptionValues creation = checkTarget();
      String targetName = operands.getLast();
      if (!options().existing) {
        create(context, targetName, creation.with("size", Long.toString(source.lengthBytes())));
      }
      CacheMode targetCache = CacheArgument.parse("cache option", options().cache);
      OpenImage target =
          open(context, OpenRequest.writing(targetName, options().targetFormat, targetCache));
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

  private static OpenImage open(AioContext context, OpenRequest request) throws ToolException {
    try {
      return OpenImage.open(context, request);
    } catch (BlockException e) {
      throw ToolException.of("Could not open '" + request.name() + "': ", e);
    }
  }

  /** Checks what concerns the target, in the order in which the reference looks. */
  private OptionValues checkTarget() throws ToolException {
    ConvertOptions options = options();
    if (options.snapshot != null) {
      throw new ToolException(
          "Failed to load snapshot: Block format 'raw' used by device '' does not support"
              + " temporarily loading internal snapshots");
    }
    String format = options.targetFormat;
    boolean opensOnly = options.existing;
    if (!opensOnly) {
      checkFormat(format);
      requireProtocol(options.operands.getLast());
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

  private static void requireProtocol(String name) throws ToolException {
    try {
      ImageName.pathText(name);
    } catch (BlockException e) {
      throw ToolException.of("", e);
    }
  }

  private static ToolException cannotCompress() {
    return new ToolException("Compression not supported for this file format");
  }

  private static void checkFormat(String format) throws ToolException {
    if (!ImageFormats.isKnown(format)) {
      throw new ToolException("Unknown file format '" + format + "'");
    }
    if (!ImageFormats.isCreatable(format)) {
      throw new ToolException("Format driver '" + format + "' does not support image creation");
    }
    if (!ImageFormats.isSupported(format)) {
      throw new ToolException(ImageFormats.notYet(format));
    }
  }

  private void create(AioContext context, String name, OptionValues values) throws ToolException {
    String prefix = name + ": error while converting " + options().targetFormat + ": ";
    try {
      FileCreator.create(context, ImageName.path(name), ImageName.pathText(name), values);
    } catch (BlockException e) {
      throw ToolException.of(prefix, e);
    }
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
