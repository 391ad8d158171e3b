package org.tinamou.drivers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.format.luks.LuksCreator;
import org.tinamou.drivers.format.qcow2.Qcow2CreationOptions;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
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
        fill(context, objects, path.toString(), (filling, file) -> filling.luks(file, options));
      } else {
        Qcow2Creator.Request request = Qcow2CreationOptions.request(options);
        fill(
            context,
            objects,
            path.toString(),
            (filling, file) -> filling.qcow2(file, null, request));
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

  /**
   * Makes an image in what a protocol leads to. That is there already and keeps its length if it is
   * long enough; what it began with is no longer an image, whatever comes of this.
   *
   * @param objects what options may name
   * @param options checked against {@link #options}
   */
  @InCoroutine
  public static void createWithin(
      AioContext context,
      ObjectRegistry objects,
      String protocol,
      String name,
      String format,
      OptionValues options)
      throws BlockException {
    boolean plain = !format.equals(QCOW2) && !format.equals(LUKS);
    BlockGraph graph = new BlockGraph(context);
    NodeOpener opener = new NodeOpener(graph, Drivers.list(objects));
    BlockNode node;
    try {
      node = opener.open(ImageAddress.ofName(name, protocol), NodeOptions.READ_WRITE, graph.main());
    } catch (BlockException e) {
      throw e.prefixed(
          "Protocol driver '"
              + protocol
              + "' does not support image creation, and opening the image failed: ");
    }
    try {
      ImageFilling filling = new ImageFilling(graph, objects);
      filling.plain(node, plain ? options.size("size", 0) : 0);
      if (format.equals(LUKS)) {
        filling.luks(node, options);
      } else if (!plain) {
        filling.qcow2(node, null, Qcow2CreationOptions.request(options));
      }
    } catch (OptionException e) {
      throw new BlockException(Errno.EINVAL, e.getMessage());
    } finally {
      graph.release(node);
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

  /** What is done with the file of a new image. */
  @FunctionalInterface
  private interface Filler {
    void fill(ImageFilling filling, BlockNode file) throws BlockException, OptionException;
  }

  private static void fill(AioContext context, ObjectRegistry objects, String path, Filler filler)
      throws BlockException, OptionException {
    BlockGraph graph = new BlockGraph(context);
    NodeOpener opener = new NodeOpener(graph, Drivers.list(objects));
    Json.Members options = new Json.Members().put("driver", FILE).put("filename", path);
    ImageAddress address = new ImageAddress(null, options, OptionReader.Style.LOOSE);
    BlockNode node = opener.open(address, NodeOptions.READ_WRITE, context);
    try {
      filler.fill(new ImageFilling(graph, objects), node);
    } finally {
      graph.release(node);
    }
  }
}
