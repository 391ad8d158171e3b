package org.tinamou.tools.img;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Interruptions;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img convert}: copies images into a new or existing one. */
final class ConvertCommand implements ImgCommand {
  private static final String BACKING_FILE = "backing_file";
  private static final String BACKING_FORMAT = "backing_fmt";

  private @Nullable ConvertOptions parsed;

  /** What the target stands on, by whatever option that was said. */
  private @Nullable String backing;

  private volatile boolean stopAsked;

  /** Set where somebody is not waited for any more who keeps the command from stopping. */
  private volatile boolean gaveUp;

  private final List<OpenImage> images = new CopyOnWriteArrayList<>();

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
    try (Interruptions watch = Interruptions.stopBy(() -> stopAsked = true, this::giveUp)) {
      options.checkImages();
      return LoopRunner.runOnHost(
          "convert", (host, context) -> convert(host, context, console, operands, progress));
    } finally {
      progress.end();
    }
  }

  private void giveUp() {
    gaveUp = true;
    images.forEach(OpenImage::giveUp);
  }

  private int convert(
      LoopHost host, AioContext context, Console console, List<String> operands, Progress progress)
      throws ToolException {
    if (options().isFromStream() && options().isStream()) {
      return throughStreams(context, console, progress);
    }
    if (options().isFromStream()) {
      return fromStream(context, console, operands.getLast(), progress);
    }
    List<OpenImage> sources = new ArrayList<>();
    try {
      openSources(context, console, operands, sources);
      images.addAll(sources);
      SourceChain source = new SourceChain(sources);
      if (options().isStream()) {
        stream(source, console, progress);
        return 0;
      }
      OptionValues creation = checkTarget(sources);
      String targetName = operands.getLast();
      ResumeRecord record =
          options().resume
              ? ResumeRecord.of(
                  operands.subList(0, operands.size() - 1), targetName, options().wordsThatMatter())
              : null;
      if (!options().existing && (record == null || record.doneBytes() == 0)) {
        NewImage.create(
            context,
            options().choice.objects(),
            targetName,
            options().targetFormat,
            creation.with("size", Long.toString(source.lengthBytes())),
            targetName + ": error while converting " + options().targetFormat + ": ");
      }
      OpenRequest request = targetRequest(targetName, creation);
      OpenImage target = options().choice.open(context, console, request);
      images.add(target);
      CopyLoops loops = loops(host, context, source, target);
      boolean complete;
      try {
        if (options().bitmaps && !target.bitmaps().areKept()) {
          throw new ToolException(
              "Format driver '" + target.format() + "' does not support bitmaps");
        }
        if (record != null) {
          CopyProof.check(source, target, record.doneBytes(), progress);
        }
        complete = copy(loops, console, source, target, progress, record);
        if (complete && options().bitmaps) {
          BitmapCopy.copy(console, sources.getFirst(), target);
        }
      } catch (ToolException e) {
        requireStopped(e, target);
        complete = false;
      } finally {
        loops.close();
        target.close();
      }
      if (!complete) {
        progress.phase("interrupted");
        console.error(
            "interrupted: '" + targetName + "' is consistent, but not all has been copied");
        return 1;
      }
      if (record != null) {
        record.end();
      }
      progress.set(100);
      return 0;
    } finally {
      sources.forEach(OpenImage::close);
    }
  }

  /** How the target is opened, which needs the keys that it was made with. */
  private OpenRequest targetRequest(String targetName, OptionValues creation) throws ToolException {
    CacheMode targetCache = CacheArgument.parse("cache option", options().cache);
    options().checkTarget();
    boolean byOptions = options().targetImageOpts;
    OpenRequest request =
        OpenRequest.writing(targetName, byOptions ? null : options().targetFormat, targetCache)
            .namedByOptions(byOptions);
    String level = options().compressionLevel;
    List<String> more = new ArrayList<>();
    if (level != null) {
      more.add("compression-level=" + level);
    }
    for (String option : List.of("key-secret", "encrypt.key-secret")) {
      if (!byOptions && creation.has(option)) {
        more.add(option + "=" + creation.string(option));
      }
    }
    return request.withOptions(String.join(",", more));
  }

  private void openSources(
      AioContext context, Console console, List<String> operands, List<OpenImage> sources)
      throws ToolException {
    CacheMode cache = CacheArgument.parse("source cache option", options().sourceCache);
    for (String name : operands.subList(0, operands.size() - 1)) {
      OpenRequest request =
          OpenRequest.reading(name, options().sourceFormat, cache)
              .namedByOptions(options().imageOpts)
              .sharedByForce(options().forceShare);
      OpenRequest kept = options().forceShare ? request : request.exclusive();
      sources.add(options().choice.open(context, console, kept));
    }
  }

  /** From standard input, whose length is known at its end. */
  private int fromStream(AioContext context, Console console, String targetName, Progress progress)
      throws ToolException {
    String format = options().targetFormat;
    NewImage.checkFormat(format);
    NewImage.checkName(targetName);
    OptionValues creation = creation(format, false);
    if (options().compressed) {
      checkCompression(format, creation);
    }
    creation = creation.with("size", "0");
    String prefix = targetName + ": error while converting " + format + ": ";
    NewImage.create(context, options().choice.objects(), targetName, format, creation, prefix);
    OpenRequest request = targetRequest(targetName, creation).forResizing();
    OpenImage target = options().choice.open(context, console, request);
    try {
      StreamInput input = new StreamInput(console.in(), progress, () -> stopAsked);
      if (!input.copyTo(target, options().compressed)) {
        console.error(
            "interrupted: '" + targetName + "' is consistent, but not all has been copied");
        return 1;
      }
    } finally {
      target.close();
    }
    progress.set(100);
    return 0;
  }

  /**
   * From one to the other. Formats that begin with what is known at the end only get it from a file
   * that has no name any more.
   */
  private int throughStreams(AioContext context, Console console, Progress progress)
      throws ToolException {
    StreamInput input = new StreamInput(console.in(), progress, () -> stopAsked);
    if (options().targetFormat.equals(ImageFormats.RAW)) {
      input.copyTo(console.out());
      progress.set(100);
      return 0;
    }
    OpenImage kept = StreamSpool.open(context, console, options().choice);
    try {
      if (!input.copyTo(kept, false)) {
        throw new ToolException("interrupted: the output is not complete");
      }
      stream(new SourceChain(List.of(kept)), console, progress);
    } finally {
      kept.close();
    }
    return 0;
  }

  /** To standard output, which is written from its beginning to its end. */
  private void stream(SourceChain source, Console console, Progress progress) throws ToolException {
    StreamOutput output = new StreamOutput(source, console.out(), progress, () -> stopAsked);
    if (options().targetFormat.equals(ImageFormats.RAW)) {
      output.raw();
    } else if (options().isVmdkStream()) {
      OptionValues values = options().vmdkOptions();
      String level = options().compressionLevel;
      output.vmdk(
          Objects.requireNonNullElse(values.string("adapter_type"), "ide"),
          Objects.requireNonNullElse(values.string("hwversion"), "4"),
          level == null ? Deflater.DEFAULT_COMPRESSION : Integer.parseInt(level));
    } else if (options().compressed) {
      output.packedQcow2(
          options().streamClusterBytes(), options().streamZstd(), options().streamLevel());
    } else {
      output.qcow2(options().streamClusterBytes());
    }
    progress.set(100);
  }

  /** Checks what concerns the target, in the order in which the reference looks. */
  private OptionValues checkTarget(List<OpenImage> sources) throws ToolException {
    ConvertOptions options = options();
    if (options.snapshot != null) {
      options.snapshot.show(sources.getFirst());
    }
    String format = options.targetFormat;
    boolean opensOnly = options.existing;
    if (!opensOnly) {
      NewImage.checkFormat(format);
      NewImage.checkName(options.operands.getLast());
    }
    OptionValues creation = creation(format, opensOnly);
    backing = opensOnly ? options.backing : creation.string(BACKING_FILE);
    if (sources.size() > 1 && backing != null) {
      throw new ToolException(
          "Having a backing file for the target makes no sense when concatenating multiple input"
              + " images");
    }
    if (!opensOnly && backing != null && !creation.has(BACKING_FORMAT)) {
      throw new ToolException("Use of backing file requires explicit backing format");
    }
    if (!opensOnly && options.compressed) {
      checkCompression(format, creation);
    }
    if (options.bitmaps) {
      if (sources.size() > 1) {
        throw new ToolException("Copying bitmaps only possible with single source");
      }
      BitmapCopy.check(sources.getFirst(), options.skipBrokenBitmaps);
    }
    return creation;
  }

  private OptionValues creation(String format, boolean opensOnly) throws ToolException {
    ConvertOptions options = options();
    OptionSchema schema = ImageOptionList.schema(opensOnly ? ImageFormats.RAW : format);
    try {
      OptionValues creation = schema.parse(options.creation.text());
      if (opensOnly) {
        return creation;
      }
      if (options.backing != null) {
        if (!schema.accepts(BACKING_FILE)) {
          throw new ToolException("Backing file not supported for file format '" + format + "'");
        }
        creation = creation.with(BACKING_FILE, options.backing);
      }
      if (options.backingFormat != null) {
        if (!schema.accepts(BACKING_FORMAT)) {
          throw new ToolException(
              "Backing file format not supported for file format '" + format + "'");
        }
        creation = creation.with(BACKING_FORMAT, options.backingFormat);
      }
      return creation;
    } catch (OptionException e) {
      throw ToolException.of("", e);
    }
  }

  private static void checkCompression(String format, OptionValues creation) throws ToolException {
    if (!format.equals(ImageFormats.QCOW2)) {
      throw cannotCompress();
    }
    try {
      if (creation.bool("encryption", false) || creation.has("encrypt.format")) {
        throw new ToolException("Compression and encryption not supported at the same time");
      }
    } catch (OptionException e) {
      throw ToolException.of("", e);
    }
    String preallocation = creation.string("preallocation");
    if (preallocation != null && !preallocation.equals("off")) {
      throw new ToolException("Compression and preallocation not supported at the same time");
    }
  }

  private static ToolException cannotCompress() {
    return new ToolException("Compression not supported for this file format");
  }

  private CopyLoops loops(LoopHost host, AioContext context, SourceChain source, OpenImage target) {
    // Compressing has workers of its own.
    return !options().compressed && source.isNear() && target.isHostCached()
        ? CopyLoops.onThreads(context, host, options().workers)
        : CopyLoops.onMain(context);
  }

  /** What nobody has encrypted is not zero any more once it is decrypted. */
  private static boolean isEncryptedAndAllocated(OpenImage target) throws ToolException {
    ImageDescription description = target.description();
    if (description == null || !description.encrypted()) {
      return false;
    }
    try {
      return target.lengthBytes() > 0 && target.extentInChain(0, target.lengthBytes()).data();
    } catch (BlockException e) {
      throw ToolException.of("", e);
    }
  }

  /** After a copy that has failed because nobody is waited for: makes what there is stable. */
  private void requireStopped(ToolException failure, OpenImage target) throws ToolException {
    if (!gaveUp) {
      throw failure;
    }
    try {
      target.flush();
    } catch (BlockException alsoRemote) {
      failure.addSuppressed(alsoRemote);
      throw failure;
    }
  }

  private boolean copy(
      CopyLoops loops,
      Console console,
      SourceChain source,
      OpenImage target,
      Progress progress,
      @Nullable ResumeRecord record)
      throws ToolException {
    ConvertOptions options = options();
    if (target.lengthBytes() < source.lengthBytes()) {
      throw new ToolException("output file is smaller than input file");
    }
    if (options.compressed && !target.canCompress()) {
      throw cannotCompress();
    }
    if (options.targetIsZero && backing != null) {
      // The reference says so and yet does not fail.
      console.error("Cannot use --target-is-zero when the destination image has a backing file");
      return true;
    }
    boolean targetIsZero =
        options.targetIsZero
            || (!options.existing
                && backing == null
                && (record == null || record.doneBytes() == 0)
                && target.isZeroWhenNew()
                && !isEncryptedAndAllocated(target));
    return new Converter(
            loops,
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
                options.compressed,
                backing == null ? -1 : backingBytes(target),
                options.bytesPerSecond),
            progress,
            () -> stopAsked,
            record)
        .convert();
  }

  /** Where nobody knows how long the image below is, it counts as without an end. */
  private static long backingBytes(OpenImage target) {
    try {
      long bytes = target.backingBytes();
      return bytes < 0 ? Long.MAX_VALUE : bytes;
    } catch (BlockException e) {
      return Long.MAX_VALUE;
    }
  }
}
