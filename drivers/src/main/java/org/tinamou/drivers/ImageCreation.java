package org.tinamou.drivers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.format.luks.LuksCreator;
import org.tinamou.drivers.format.luks.LuksType;
import org.tinamou.drivers.format.qcow2.NewEncryption;
import org.tinamou.drivers.format.qcow2.Qcow2CreationOptions;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
import org.tinamou.drivers.format.qcow2.Qcow2Driver;
import org.tinamou.drivers.protocol.file.FileCreator;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;

/** Makes images in new files, of every format that images can be made in. */
public final class ImageCreation {
  private static final String QCOW2 = "qcow2";
  private static final String LUKS = "luks";
  private static final String FILE = "file";
  private static final String ENCRYPTION_KEY = "encrypt.key-secret";
  private static final OptionSchema PLAIN =
      new OptionSchema(List.of(OptionSchema.Option.size("size", "Virtual disk size")));

  private ImageCreation() {}

  /** The options of a format alone, without those of the file below it. */
  @AnyThread
  public static OptionSchema formatOptions(String format) {
    return switch (format) {
      case FILE -> FileCreator.OPTIONS;
      case QCOW2 -> Qcow2CreationOptions.OPTIONS;
      case LUKS -> LuksCreator.OPTIONS;
      default -> PLAIN;
    };
  }

  /** Everything that can be said about a new image in a file. */
  @AnyThread
  public static OptionSchema options(String format) {
    return formatOptions(format).and(FileCreator.OPTIONS);
  }

  /**
   * Makes an image, in a new file or in place of what a file held. Of an image that cannot be made
   * no file is left.
   *
   * @param objects what options may name
   * @param name what messages call the file
   * @param options checked against {@link #options}
   */
  @InCoroutine
  public static void create(
      AioContext context,
      ObjectRegistry objects,
      Path path,
      String name,
      String format,
      OptionValues options)
      throws BlockException {
    if (!format.equals(QCOW2) && !format.equals(LUKS)) {
      FileCreator.create(context, path, name, options);
      return;
    }
    FileCreator.create(context, path, name, options.without("size").without("preallocation"));
    String dataFile = options.string("data_file");
    boolean done = false;
    try {
      if (dataFile != null) {
        OptionValues none = FileCreator.OPTIONS.parse("");
        FileCreator.create(context, Path.of(dataFile), dataFile, none);
      }
      if (format.equals(LUKS)) {
        fillLuks(context, objects, path.toString(), options);
      } else {
        fill(context, objects, path.toString(), Qcow2CreationOptions.request(options));
      }
      done = true;
    } catch (OptionException e) {
      throw new BlockException(Errno.EINVAL, e.getMessage());
    } finally {
      if (!done) {
        remove(context, path);
        if (dataFile != null && !dataFile.isEmpty()) {
          remove(context, Path.of(dataFile));
        }
      }
    }
  }

  private static void remove(AioContext context, Path path) {
    boolean removed = context.callBlocking(() -> removed(path));
    if (!removed) {
      System.getLogger(ImageCreation.class.getName())
          .log(System.Logger.Level.WARNING, "Could not remove " + path);
    }
  }

  private static boolean removed(Path path) {
    try {
      Files.deleteIfExists(path);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static void fillLuks(
      AioContext context, ObjectRegistry objects, String path, OptionValues options)
      throws BlockException, OptionException {
    BlockBackend file = open(context, objects, path, FILE, null, true);
    try {
      LuksCreator.create(file, options, objects, LuksType.work(context, null));
    } finally {
      file.close();
    }
  }

  private static void fill(
      AioContext context, ObjectRegistry objects, String path, Qcow2Creator.Request request)
      throws BlockException {
    NewEncryption encryption = request.extras().encryption();
    byte[] password =
        encryption == null
            ? new byte[0]
            : LuksCreator.password(objects, ENCRYPTION_KEY, encryption.keySecret());
    BlockBackend file = open(context, objects, path, FILE, null, true);
    try {
      Qcow2Creator.create(file, request);
    } finally {
      file.close();
    }
    if (encryption != null) {
      encrypt(context, path, encryption, password);
    }
    if (request.preallocation() != PreallocationMode.OFF || request.extras().dataFile() != null) {
      String secret = encryption == null ? null : encryption.keySecret();
      BlockBackend image = open(context, objects, path, QCOW2, secret, true);
      try {
        image.truncate(request.sizeBytes(), false, request.preallocation());
        image.flush();
      } finally {
        image.close();
      }
    }
  }

  private static void encrypt(
      AioContext context, String path, NewEncryption encryption, byte[] password)
      throws BlockException {
    BlockBackend image = open(context, ObjectRegistry.none(), path, QCOW2, null, false);
    try {
      BlockNode node = image.node();
      if (node != null && node.driverOrNull() instanceof Qcow2Driver driver) {
        encryption.apply(driver, password, LuksType.work(context, null));
      }
    } finally {
      image.close();
    }
  }

  private static BlockBackend open(
      AioContext context,
      ObjectRegistry objects,
      String path,
      String driver,
      @Nullable String keySecret,
      boolean withBacking)
      throws BlockException {
    BlockGraph graph = new BlockGraph(context);
    NodeOpener opener = new NodeOpener(graph, Drivers.list(objects), withBacking);
    Json.Members options = new Json.Members();
    options.put("driver", driver);
    if (driver.equals(FILE)) {
      options.put("filename", path);
    } else {
      options.put("file.driver", FILE);
      options.put("file.filename", path);
      if (keySecret != null) {
        options.put(ENCRYPTION_KEY, keySecret);
      }
    }
    ImageAddress address = new ImageAddress(null, options, OptionReader.Style.LOOSE);
    int permissions = Permission.CONSISTENT_READ | Permission.WRITE | Permission.RESIZE;
    BlockBackend backend = new BlockBackend(graph, "", context, permissions, Permission.ALL);
    BlockNode node = opener.open(address, NodeOptions.READ_WRITE, context);
    try {
      backend.insert(node);
    } finally {
      graph.release(node);
    }
    return backend;
  }
}
