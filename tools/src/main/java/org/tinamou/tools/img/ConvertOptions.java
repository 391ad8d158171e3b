package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.format.qcow2.ClusterCodec;
import org.tinamou.drivers.format.vmdk.VmdkStream;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.SnapshotChoice;

/** What {@code img convert} was asked to do, checked as far as that needs no image. */
final class ConvertOptions {
  private static final String LETTERS = ":hf:O:B:Cb:cF:o:l:S:pt:T:qnm:WUr:";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force-share", 'U'),
          LongOption.flag("target-image-opts", ImgOptions.TARGET_IMAGE_OPTS),
          LongOption.flag("salvage", ImgOptions.SALVAGE),
          LongOption.flag("target-is-zero", ImgOptions.TARGET_IS_ZERO),
          LongOption.flag("bitmaps", ImgOptions.BITMAPS),
          LongOption.flag("skip-broken-bitmaps", ImgOptions.SKIP_BROKEN_BITMAPS),
          LongOption.ofOurs("resume", LongOption.Argument.NONE, ImgOptions.RESUME));

  /** A form of VMDK that is written from its beginning to its end, only to standard output. */
  private static final String VMDK_STREAM = "vmdk-stream";

  private static final long DEFAULT_SPARSE_BYTES = 4096;
  private static final long MAX_SPARSE_BYTES = 16 << 20;
  private static final int MAX_WORKERS = 16;
  private static final int DEFAULT_CLUSTER_BYTES = 1 << 16;
  private static final int MIN_CLUSTER_BYTES = 512;
  private static final int MAX_CLUSTER_BYTES = 2 << 20;

  @Nullable String sourceFormat;
  String targetFormat = ImageFormats.RAW;
  @Nullable String backing;
  @Nullable String backingFormat;
  @Nullable SnapshotChoice snapshot;

  /** How much effort packing makes, or null; only for formats that can be told. */
  @Nullable String compressionLevel;

  final ImageOptionList creation = new ImageOptionList();
  String cache = "unsafe";
  String sourceCache = "writeback";
  long sparseBytes = DEFAULT_SPARSE_BYTES;
  int workers = 8;
  long bytesPerSecond;
  boolean offload;
  boolean compressed;
  boolean progress;
  boolean quiet;
  boolean existing;
  boolean inOrder = true;
  boolean forceShare;
  boolean salvage;

  /** Whether to go on where an earlier run stopped, and to keep a record for a later one. */
  boolean resume;

  boolean targetIsZero;
  boolean bitmaps;
  boolean help;
  final ImageChoice choice = new ImageChoice();
  boolean imageOpts;
  boolean targetImageOpts;
  List<String> operands = List.of();

  private @Nullable String letterB;
  private boolean sparseGiven;
  private boolean targetFormatGiven;
  boolean skipBrokenBitmaps;
  private final Console console;

  ConvertOptions(Console console) {
    this.console = console;
  }

  /** Takes the command line in; stops early if it asks for {@link #help}. */
  void parse(List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "convert", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      if (!takeFlag(code)) {
        takeValue(code, scan.value());
      }
      if (help) {
        return;
      }
    }
    operands = scan.operands();
    if (compressed || isVmdkStream()) {
      compressionLevel = creation.takeOut("compression_level");
    }
    settleLetters();
  }

  /** {@code -B} is the image below, or its format where {@code -b} says which image that is. */
  private void settleLetters() throws ToolException {
    if (letterB == null) {
      return;
    }
    if (backing == null) {
      backing = letterB;
    } else if (backingFormat == null) {
      backingFormat = letterB;
    } else {
      throw new ToolException("-b, -B and -F cannot be used together");
    }
  }

  private boolean takeFlag(int code) {
    switch (code) {
      case 'h' -> help = true;
      case 'C' -> offload = true;
      case 'c' -> compressed = true;
      case 'p' -> progress = true;
      case 'q' -> quiet = true;
      case 'n' -> existing = true;
      case ImgOptions.RESUME -> resume = true;
      case 'W' -> inOrder = false;
      case 'U' -> forceShare = true;
      case ImgOptions.IMAGE_OPTS -> imageOpts = true;
      case ImgOptions.TARGET_IMAGE_OPTS -> targetImageOpts = true;
      case ImgOptions.SALVAGE -> salvage = true;
      case ImgOptions.TARGET_IS_ZERO -> targetIsZero = true;
      case ImgOptions.BITMAPS -> bitmaps = true;
      case ImgOptions.SKIP_BROKEN_BITMAPS -> skipBrokenBitmaps = true;
      default -> {
        return false;
      }
    }
    return true;
  }

  private void takeValue(int code, String value) throws ToolException {
    switch (code) {
      case 'f' -> sourceFormat = value;
      case 'O' -> {
        targetFormat = value;
        targetFormatGiven = true;
      }
      case 'B' -> letterB = value;
      case 'b' -> backing = value;
      case 'F' -> backingFormat = value;
      case 'o' -> creation.add(value);
      case 'l' -> snapshot = SnapshotChoice.parse(value);
      case 't' -> cache = value;
      case 'T' -> sourceCache = value;
      case 'S' -> sparse(value);
      case 'm' -> workers(value);
      case 'r' -> bytesPerSecond = SizeArgument.parse(console, "rate limit", value);
      case ImgOptions.OBJECT -> choice.define(console, value);
      default -> throw new IllegalStateException("option " + code);
    }
  }

  private void sparse(String value) throws ToolException {
    long bytes = SizeArgument.parse(console, "buffer size for sparse output", value);
    if (bytes % 512 != 0 || bytes > MAX_SPARSE_BYTES) {
      throw new ToolException(
          "Invalid buffer size for sparse output specified. Valid sizes are multiples of 512 up to "
              + MAX_SPARSE_BYTES
              + ". Select 0 to disable sparse detection (fully allocates output).");
    }
    sparseBytes = bytes;
    sparseGiven = true;
  }

  private void workers(String value) throws ToolException {
    int count;
    try {
      count = Integer.decode(value.strip());
    } catch (NumberFormatException e) {
      count = 0;
    }
    if (count < 1 || count > MAX_WORKERS) {
      throw new ToolException(
          "Invalid number of coroutines. Allowed number of coroutines is between 1 and "
              + MAX_WORKERS);
    }
    workers = count;
  }

  /** Refuses what contradicts itself, in the order in which the reference looks. */
  void check() throws ToolException {
    if (skipBrokenBitmaps && !bitmaps) {
      throw new ToolException("Use of --skip-broken-bitmaps requires --bitmaps");
    }
    if (isFromStream()) {
      checkFromStream();
    }
    if (isStream()) {
      checkStream();
    } else if (isVmdkStream()) {
      throw new ToolException("vmdk-stream can be written to standard output (-) only");
    }
    if (resume && (!inOrder || existing || compressed || salvage || isStream() || isFromStream())) {
      throw new ToolException("--resume cannot be used with -c, -n, -W, --salvage or a stream");
    }
    if (offload && compressed) {
      throw new ToolException("Cannot enable copy offloading when -c is used");
    }
    if (offload && sparseGiven) {
      throw new ToolException("Cannot enable copy offloading when -S is used");
    }
    if (existing && creation.isGiven()) {
      throw new ToolException("-o has no effect when skipping image creation");
    }
    if (targetImageOpts && !existing) {
      throw new ToolException("--target-image-opts requires use of -n flag");
    }
    if (targetIsZero && !existing) {
      throw new ToolException("--target-is-zero requires use of -n flag");
    }
  }

  /** Whether the source is standard input. */
  boolean isFromStream() {
    return operands.size() == 2 && operands.getFirst().equals("-");
  }

  /** Refuses what cannot be done with a source that is read once and of unknown length. */
  private void checkFromStream() throws ToolException {
    if (!ImageFormats.RAW.equals(sourceFormat)) {
      throw new ToolException(
          "Standard input is taken for a raw disk only: -f raw has to be given");
    }
    boolean more = bitmaps || offload || existing || salvage || snapshot != null;
    if (more || backing != null || letterB != null || targetImageOpts) {
      throw new ToolException(
          "-b, -B, -C, -l, -n, --bitmaps and --salvage cannot be used where the source is standard"
              + " input");
    }
  }

  /** Whether the target is standard output. */
  boolean isStream() {
    return !existing && operands.size() > 1 && operands.getLast().equals("-");
  }

  /** Refuses what cannot be done where nothing is written twice. */
  void checkStream() throws ToolException {
    boolean known =
        targetFormat.equals(ImageFormats.RAW) || targetFormat.equals(ImageFormats.QCOW2);
    if (!known && !isVmdkStream()) {
      throw new ToolException(
          "Only raw, qcow2 and vmdk-stream can be written to standard output, not '"
              + targetFormat
              + "'");
    }
    if (compressed && targetFormat.equals(ImageFormats.RAW)) {
      throw new ToolException("Compression not supported for this file format");
    }
    if (bitmaps || offload || backing != null || letterB != null) {
      throw new ToolException(
          "-b, -B, -C and --bitmaps cannot be used where the target is standard output");
    }
    if (progress) {
      throw new ToolException(
          "-p would write into the image on standard output; --progress=json tells of progress"
              + " elsewhere");
    }
    if (targetFormat.equals(ImageFormats.RAW) && creation.isGiven()) {
      throw new ToolException("-o has no effect on raw images on standard output");
    }
    if (isVmdkStream()) {
      vmdkOptions();
    } else {
      streamClusterBytes();
      streamZstd();
      streamLevel();
    }
  }

  boolean isVmdkStream() {
    return targetFormat.equals(VMDK_STREAM);
  }

  /** What can be chosen of a VMDK stream. */
  OptionValues vmdkOptions() throws ToolException {
    if (compressionLevel != null && !compressionLevel.matches("[0-9]")) {
      throw new ToolException("Parameter 'compression_level' expects a number from 0 to 9");
    }
    try {
      return VmdkStream.OPTIONS.parse(creation.text());
    } catch (OptionException e) {
      throw ToolException.of("", e);
    }
  }

  /** What can be chosen of a qcow2 stream: the clusters, and how they are packed. */
  private OptionValues streamOptions() throws ToolException {
    try {
      OptionValues values = ImageOptionList.schema(ImageFormats.QCOW2).parse(creation.text());
      for (String name : ImageOptionList.schema(ImageFormats.QCOW2).names()) {
        boolean packing = compressed && name.equals("compression_type");
        if (values.has(name) && !packing && !name.equals("cluster_size")) {
          throw new ToolException(
              "Option '" + name + "' cannot be used where the target is standard output");
        }
      }
      return values;
    } catch (OptionException e) {
      throw ToolException.of("", e);
    }
  }

  int streamClusterBytes() throws ToolException {
    try {
      long bytes = streamOptions().size("cluster_size", DEFAULT_CLUSTER_BYTES);
      if (bytes < MIN_CLUSTER_BYTES || bytes > MAX_CLUSTER_BYTES || Long.bitCount(bytes) != 1) {
        throw new ToolException("Cluster size must be a power of two between 512 and 2048k");
      }
      return (int) bytes;
    } catch (OptionException e) {
      throw ToolException.of("", e);
    }
  }

  /** Whether clusters are packed with zstd, not with deflate. */
  boolean streamZstd() throws ToolException {
    String type = streamOptions().string("compression_type");
    if (type != null && !type.equals("zlib") && !type.equals("zstd")) {
      throw new ToolException("Parameter 'compression-type' does not accept value '" + type + "'");
    }
    return "zstd".equals(type);
  }

  /** As {@link ClusterCodec} counts it. */
  int streamLevel() throws ToolException {
    String level = compressionLevel;
    if (level == null) {
      return ClusterCodec.USUAL_LEVEL;
    }
    try {
      return Integer.parseInt(level);
    } catch (NumberFormatException e) {
      throw new ToolException("Parameter 'compression_level' expects a number");
    }
  }

  /** Refuses what concerns the images, before any is opened. */
  void checkImages() throws ToolException {
    CacheArgument.parse("source cache option", sourceCache);
    ImageChoice.check(imageOpts, sourceFormat);
  }

  /** Refuses what concerns the target, once the sources are open. */
  void checkTarget() throws ToolException {
    ImageChoice.check(targetImageOpts, targetFormatGiven ? targetFormat : null);
  }

  /** What matters for what is written, apart from the names. */
  List<String> wordsThatMatter() {
    return List.of(
        "format=" + targetFormat,
        "source=" + sourceFormat,
        "options=" + creation.text(),
        "backing=" + backing + "," + letterB + "," + backingFormat,
        "snapshot=" + snapshot,
        "sparse=" + sparseBytes);
  }

  boolean showsProgress() {
    return progress && !quiet;
  }
}
