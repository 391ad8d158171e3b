package org.tinamou.testkit.crash;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.open.DriverList;
import org.tinamou.drivers.format.luks.KeyWork;
import org.tinamou.drivers.format.luks.LuksCreator;
import org.tinamou.drivers.format.luks.LuksType;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** The files of a volume, and how it is made and opened. */
final class LuksImages {
  static final int DISK_BYTES = 8192;

  /** The first password, of slot 0. */
  static final String FIRST = "first";

  /** A password that is there all the time. */
  static final String KEPT = "kept";

  /** The password that is to be replaced or erased. */
  static final String OLD = "old";

  static final String NEW = "new";

  /** A password that was erased. */
  static final String GONE = "gone";

  private static final String DATA = "data";
  private static final String HEADER = "header";
  private static final String ALONE = "alone ";
  private static final int ITERATIONS = 16;

  /** How a volume is encrypted. */
  private enum Cipher {
    SMALL("cipher-alg=aes-128,cipher-mode=cbc,ivgen-alg=plain64,hash-alg=sha1"),
    ODD("cipher-alg=aes-192,cipher-mode=cbc,ivgen-alg=essiv,hash-alg=sha256"),
    USUAL("cipher-alg=aes-128,cipher-mode=xts,ivgen-alg=plain64,hash-alg=sha256"),
    LARGE("cipher-alg=aes-256,cipher-mode=xts,ivgen-alg=plain64,hash-alg=sha1");

    final String options;

    Cipher(String options) {
      this.options = options;
    }
  }

  private final RecordedType recorded;
  private final AioContext context;
  private final ObjectRegistry secrets;
  private final KeyWork keys;
  private final DriverList drivers;
  private final Cipher cipher;
  private final boolean detached;
  private final boolean roomy;

  /**
   * The files of a volume.
   *
   * @param roomy whether there is room for another key
   */
  LuksImages(AioContext context, SeededRandom random, boolean roomy) throws OptionException {
    this.roomy = roomy;
    this.context = context;
    this.recorded = new RecordedType(random.fork());
    Map<String, byte[]> passwords = new LinkedHashMap<>();
    for (String each : List.of(FIRST, KEPT, OLD, NEW, GONE)) {
      passwords.put(each, ("password " + each).getBytes(StandardCharsets.UTF_8));
    }
    this.secrets = ObjectRegistry.ofSecrets(passwords);
    RandomGenerator chance = random.fork()::nextLong;
    this.keys = new KeyWork(context, context.clocks(), 1 << 20, ITERATIONS, () -> false, chance);
    this.drivers =
        new DriverList(
            List.of(new LuksType(secrets, (loop, limit) -> keys), recorded),
            Set.of(),
            (header, name) -> null);
    this.cipher = Cipher.values()[random.nextInt(Cipher.values().length)];
    this.detached = random.nextInt(3) == 0;
  }

  private String headerFile() {
    return detached ? HEADER : DATA;
  }

  void create() throws BlockException, OptionException {
    for (String name : detached ? List.of(DATA, HEADER) : List.of(DATA)) {
      recorded.put(name, new RecordedFile(detached ? new byte[DISK_BYTES] : new byte[0]));
    }
    if (detached) {
      recorded.put(HEADER, new RecordedFile(new byte[0]));
    }
    int size = detached ? 0 : DISK_BYTES;
    String options = "size=%d,key-secret=%s,%s".formatted(size, FIRST, cipher.options);
    CrashImage file = CrashImage.openFile(context, recorded, headerFile());
    try {
      LuksCreator.create(
          file.backend(),
          LuksCreator.OPTIONS.parse(options + (detached ? ",detached-header=on" : "")),
          secrets,
          keys);
    } finally {
      file.close();
    }
    if (roomy) {
      RecordedFile changed = recorded.file(headerFile());
      recorded.put(headerFile(), new RecordedFile(LuksSlots.withRoom(changed.content(), size)));
    }
  }

  /** All files, by name. */
  Map<String, RecordedFile> files() {
    Map<String, RecordedFile> all = new LinkedHashMap<>();
    all.put(DATA, recorded.file(DATA));
    all.put(headerFile(), recorded.file(headerFile()));
    return all;
  }

  byte[] header() {
    return header("");
  }

  byte[] header(String prefix) {
    return recorded.file(prefix + headerFile()).content();
  }

  void put(String prefix, Map<String, byte[]> contents) {
    contents.forEach((name, content) -> recorded.put(prefix + name, new RecordedFile(content)));
  }

  /** Opens the volume in files whose names have a prefix. */
  CrashImage open(String prefix, String secret, NodeOptions nodeOptions) throws BlockException {
    return open(prefix + headerFile(), prefix + DATA, secret, nodeOptions);
  }

  private CrashImage open(String header, String data, String secret, NodeOptions nodeOptions)
      throws BlockException {
    Json.Members options = new Json.Members().put("driver", "luks").put("key-secret", secret);
    options.put("file.driver", RecordedType.NAME).put("file.disk", data);
    if (!header.equals(data)) {
      options.put("header.driver", RecordedType.NAME).put("header.disk", header);
    }
    BlockGraph graph = new BlockGraph(context);
    return CrashImage.open(graph, drivers, options, nodeOptions, true);
  }

  /** Whether a password opens a volume with that header. */
  boolean opens(byte[] header, String secret) throws BlockException {
    recorded.put(ALONE + HEADER, new RecordedFile(header));
    recorded.put(ALONE + DATA, new RecordedFile(new byte[DISK_BYTES]));
    String data = detached ? ALONE + DATA : ALONE + HEADER;
    try {
      open(ALONE + HEADER, data, secret, NodeOptions.READ_ONLY).close();
      return true;
    } catch (BlockException e) {
      if (e.errno() == Errno.EINVAL
          && String.valueOf(e.getMessage()).contains("Invalid password")) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public String toString() {
    return cipher.options
        + (detached ? " with its header apart" : "")
        + (roomy ? " with room" : "");
  }
}
