package org.tinamou.testkit.crash;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.block.open.DriverList;
import org.tinamou.drivers.format.luks.KeyWork;
import org.tinamou.drivers.format.qcow2.NewEncryption;
import org.tinamou.drivers.format.qcow2.Qcow2CreationOptions;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
import org.tinamou.drivers.format.qcow2.Qcow2Type;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** The files of one case, and how the image in them is made and opened. */
final class ToolImages {
  static final String FIRST_KEY = "first-key";
  static final String SECOND_KEY = "second-key";
  static final String IMAGE = "image";
  static final String DATA = "data";
  static final String SOURCE = "source";
  private static final String BASE_NODE = "commit-base";
  private static final int ITERATIONS = 16;
  private static final int BASE_CLUSTER_BYTES = 1024;

  /** What one cluster of 512 bytes of a bitmap tells of. */
  private static final long BITMAP_CLUSTER_BYTES = 2 << 20;

  private static final int LEAST_CLUSTER_BITS = 9;

  private final AioContext context;
  private final RecordedType files;
  private final ToolKind kind;
  private final ObjectRegistry secrets;
  private final DriverList drivers;
  private final KeyWork keys;
  private final boolean backed;
  private final boolean baseIsQcow2;
  private final boolean smallCaches;
  private final String options;
  private final int filledBytes;
  private final Qcow2Creator.Request request;

  ToolImages(AioContext context, SeededRandom random, ToolOperation operation, ToolKind kind)
      throws BlockException, OptionException {
    this.context = context;
    this.kind = kind;
    this.files = new RecordedType(random.fork());
    this.secrets =
        ObjectRegistry.ofSecrets(Map.of(FIRST_KEY, password("one"), SECOND_KEY, password("two")));
    RandomGenerator chance = random.fork()::nextLong;
    this.keys = new KeyWork(context, context.clocks(), 1 << 20, ITERATIONS, () -> false, chance);
    this.drivers =
        new DriverList(
            List.of(new Qcow2Type(secrets, (loop, limit) -> keys), files),
            Set.of(),
            (header, name) -> null);
    // Where there is one, an old image gives no room back.
    boolean barred = operation == ToolOperation.COMPACT && kind.isOld();
    boolean drawn = operation.isOfChain() || random.nextBoolean();
    this.backed = kind.mayHaveBacking() && drawn && !barred;
    this.baseIsQcow2 = random.nextBoolean();
    this.smallCaches = random.nextInt(3) > 0;
    int clusterBits = kind.drawClusterBits(random);
    long filled = (long) ToolKind.clusters(clusterBits) << clusterBits;
    this.filledBytes = (int) filled;
    // Merged bitmaps are to take more than one cluster now and then.
    boolean large = operation.readsSource() && clusterBits == LEAST_CLUSTER_BITS;
    long size = large ? filled + BITMAP_CLUSTER_BYTES : filled;
    String below = ",backing_file=" + ChainOperations.FIRST + ",backing_fmt=" + format();
    this.options =
        kind.drawOptions(random, clusterBits, operation.isOfSnapshots() ? 4 : 1)
            + ",size="
            + size
            + (backed ? below : "");
    this.request = Qcow2CreationOptions.request(Qcow2CreationOptions.OPTIONS.parse(options));
  }

  private static byte[] password(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  RecordedType files() {
    return files;
  }

  ToolKind kind() {
    return kind;
  }

  boolean isBacked() {
    return backed;
  }

  int clusterBytes() {
    return (int) request.clusterBytes();
  }

  int refcountBits() {
    return (int) request.refcountBits();
  }

  int sizeBytes() {
    return (int) request.sizeBytes();
  }

  /** The part of the disk that is filled. */
  int filledBytes() {
    return filledBytes;
  }

  boolean isBaseQcow2() {
    return backed && baseIsQcow2;
  }

  /** The format of the first image below. */
  String format() {
    return baseIsQcow2 ? "qcow2" : "raw";
  }

  // -------------------------------------------------------------------------------------- making

  /** Makes the image and what it stands on. */
  void create(SeededRandom random) throws BlockException {
    files.put(IMAGE, new RecordedFile(new byte[0]));
    files.put(DATA, new RecordedFile(new byte[0]));
    if (backed) {
      int sectors = sizeBytes() / GuestModel.SECTOR_BYTES;
      int shorter = random.nextBoolean() ? 0 : random.nextInt(sectors / 2);
      ChainOperations.putBelow(files, (sectors - shorter) * GuestModel.SECTOR_BYTES);
      if (baseIsQcow2) {
        wrapBase();
      }
    }
    CrashImage file = CrashImage.openFile(context, files, IMAGE);
    Qcow2Creator.create(file.backend(), request);
    file.close();
    NewEncryption encryption = request.extras().encryption();
    if (encryption != null) {
      CrashImage plain = open("", null, null, NodeOptions.READ_WRITE);
      encryption.apply(plain.qcow2(), password("one"), keys);
      plain.close();
    }
    if (request.extras().dataFile() != null) {
      CrashImage image = open(NodeOptions.READ_WRITE);
      image.backend().truncate(request.sizeBytes(), false, request.preallocation());
      image.backend().flush();
      image.close();
    }
  }

  /** The bytes of the first image below become those of a qcow2 image. */
  private void wrapBase() throws BlockException {
    byte[] content = files.file(ChainOperations.FIRST).content();
    createPlain(ChainOperations.FIRST, content.length);
    CrashImage base = openBelow(ChainOperations.FIRST, "");
    base.writeBytes(0, content, 0, content.length, 0);
    base.close();
  }

  private void createPlain(String name, long size) throws BlockException {
    files.put(name, new RecordedFile(new byte[0]));
    CrashImage file = CrashImage.openFile(context, files, name);
    Qcow2Creator.create(
        file.backend(),
        new Qcow2Creator.Request(
            size,
            true,
            BASE_CLUSTER_BYTES,
            Qcow2Creator.Request.DEFAULT_REFCOUNT_BITS,
            false,
            "zlib",
            PreallocationMode.OFF,
            null,
            null,
            Qcow2Creator.Extras.NONE));
    file.close();
  }

  /** Makes another image of the same size, with bitmaps to be merged into the first one's. */
  void createSource(SeededRandom random) throws BlockException {
    createPlain(SOURCE, sizeBytes());
    CrashImage source = openSource(NodeOptions.READ_WRITE);
    for (String name : ToolFilling.SOURCES) {
      DirtyBitmap bitmap = source.inTool().bitmaps().add(name, 512L << random.nextInt(4));
      for (int i = 1 + random.nextInt(8); i > 0; i--) {
        int from = random.nextInt(sizeBytes());
        bitmap.mark(from, 1 + random.nextInt(Math.min(sizeBytes() - from, 4 * clusterBytes())));
      }
      if (random.nextBoolean()) {
        bitmap.disable();
      }
    }
    source.close();
  }

  /** Opens the image whose bitmaps are merged. */
  CrashImage openSource(NodeOptions nodeOptions) throws BlockException {
    Json.Members options = new Json.Members().put("driver", "qcow2");
    options.put("file.driver", RecordedType.NAME).put("file.disk", SOURCE);
    return CrashImage.open(graph(), drivers, options, nodeOptions, false);
  }

  // ------------------------------------------------------------------------------------- opening

  private BlockGraph graph() {
    BlockGraph graph = new BlockGraph(context);
    graph.tellDamageTo(line -> {}); // repairs are what is looked at, not the news of them
    graph.tellErrorsTo(line -> {});
    return graph;
  }

  private Json.Members options(String prefix, @Nullable String key) {
    Json.Members options = new Json.Members().put("driver", "qcow2");
    options.put("file.driver", RecordedType.NAME).put("file.disk", prefix + IMAGE);
    if (kind.isExternal()) {
      options.put("data-file.driver", RecordedType.NAME).put("data-file.disk", prefix + DATA);
    }
    if (kind.isEncrypted() && key != null) {
      options.put("encrypt.key-secret", key);
    }
    if (smallCaches) {
      options.put("l2-cache-entry-size", "512").put("l2-cache-size", "1024");
    }
    return options;
  }

  /**
   * Opens the image.
   *
   * @param prefix of the files' names
   * @param below the name of what it stands on, or null
   * @param key of the password, or null
   */
  CrashImage open(
      String prefix, @Nullable String below, @Nullable String key, NodeOptions nodeOptions)
      throws BlockException {
    Json.Members options = options(prefix, key);
    if (below != null) {
      boolean exists = files.has(prefix + below);
      putBelow(options, "backing.", below, exists ? prefix : "");
    }
    return CrashImage.open(graph(), drivers, options, nodeOptions, below != null || key != null);
  }

  /** Opens the image as it is. */
  CrashImage open(NodeOptions nodeOptions) throws BlockException {
    return open("", below(), FIRST_KEY, nodeOptions);
  }

  /** What the image names, or null. */
  @Nullable String below() {
    String name = Qcow2Crash.backingName(files.file(IMAGE).content());
    return name.isEmpty() ? null : name;
  }

  private void putBelow(Json.Members options, String at, String name, String prefix) {
    boolean qcow2 = isQcow2(name);
    options.put(at + "driver", qcow2 ? "qcow2" : RecordedType.NAME);
    options.put(at + (qcow2 ? "file.disk" : "disk"), prefix + name);
    if (qcow2) {
      options.put(at + "file.driver", RecordedType.NAME);
    }
  }

  boolean isQcow2(String below) {
    return baseIsQcow2 && below.equals(ChainOperations.FIRST);
  }

  /** Opens something below by itself. */
  CrashImage openBelow(String name, String prefix) throws BlockException {
    Json.Members options = new Json.Members();
    putBelow(options, "", name, prefix);
    return CrashImage.open(graph(), drivers, options, NodeOptions.READ_WRITE, false);
  }

  /** An image, and what it stands on, opened once. */
  record Pair(CrashImage image, CrashImage base) implements AutoCloseable {
    @Override
    public void close() {
      image.close();
      base.close();
    }
  }

  /** Opens the image and what it stands on to be written to. */
  Pair openBoth() throws BlockException {
    BlockGraph graph = graph();
    Json.Members below = new Json.Members().put("node-name", BASE_NODE);
    putBelow(below, "", ChainOperations.FIRST, "");
    CrashImage base = CrashImage.open(graph, drivers, below, NodeOptions.READ_WRITE, true);
    Json.Members above = options("", FIRST_KEY).put("backing", BASE_NODE);
    return new Pair(CrashImage.open(graph, drivers, above, NodeOptions.READ_WRITE, true), base);
  }

  /** Puts other contents in place of the files', by names with a prefix. */
  void put(String prefix, Map<String, byte[]> contents) {
    contents.forEach((name, content) -> files.put(prefix + name, new RecordedFile(content)));
  }

  /** The files that an operation may change. */
  Map<String, RecordedFile> changed(ToolOperation operation) {
    Map<String, RecordedFile> all = new LinkedHashMap<>();
    all.put(IMAGE, files.file(IMAGE));
    if (kind.isExternal()) {
      all.put(DATA, files.file(DATA));
    }
    if (operation.readsSource()) {
      all.put(SOURCE, files.file(SOURCE));
    }
    if (operation.writesBelow()) {
      all.put(ChainOperations.FIRST, files.file(ChainOperations.FIRST));
    }
    return all;
  }

  @Override
  public String toString() {
    return kind
        + " "
        + options
        + (smallCaches ? " with small caches" : "")
        + (isBaseQcow2() ? " on qcow2" : "");
  }
}
