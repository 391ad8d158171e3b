package org.tinamou.daemon.command;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.open.BackingName;
import org.tinamou.block.open.FileNames;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.daemon.Daemon;
import org.tinamou.drivers.ImageCreation;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** The image that {@code drive-mirror} and {@code drive-backup} copy to: made first, or there. */
final class TargetImage {
  private static final String FILE = "file:";

  private final Daemon daemon;
  private final BlockNode source;
  private final String target;
  private final boolean existing;
  private final @Nullable String format;
  private boolean zero;

  TargetImage(Daemon daemon, BlockNode source, OptionReader arguments)
      throws OptionException, BlockException {
    this.daemon = daemon;
    this.source = source;
    this.target = arguments.string("target");
    this.existing = "existing".equals(arguments.stringOrNull("mode"));
    String given = arguments.stringOrNull("format");
    this.format = given == null && !existing ? source.driver().formatName() : given;
    if (format != null && !daemon.drivers().names().contains(format)) {
      throw new BlockException(Errno.EINVAL, "Unknown file format '" + format + "'");
    }
  }

  /** Whether the image was made just now, in a file that reads as zeroes. */
  boolean isZero() {
    return zero;
  }

  /**
   * The target as a node, of which the caller holds one reference.
   *
   * @param backing what a new image is an overlay of, or null
   * @param backingNode whether that very node is what shows through, and not one opened by its name
   * @param nodeName its name, or null for a generated one
   */
  @InCoroutine
  BlockNode open(@Nullable BlockNode backing, boolean backingNode, @Nullable String nodeName)
      throws BlockException {
    String protocol = protocol();
    if (!existing && protocol == null) {
      create(backing);
    }
    Json.Members options = new Json.Members();
    if (format != null) {
      options.put("driver", format);
    }
    if (nodeName != null) {
      options.put("node-name", nodeName);
    }
    if (backing != null && backingNode && !existing) {
      options.put("backing", backing.name());
    }
    ImageAddress address = new ImageAddress(target, options, OptionReader.Style.LOOSE);
    NodeOptions defaults = source.options().withReadOnly(false).withAutoReadOnly(false);
    try {
      return isOverlayToCome(backing)
          ? daemon.openAlone(address, defaults)
          : daemon.open(address, defaults);
    } catch (BlockException e) {
      throw existing || protocol == null
          ? e
          : e.prefixed(notCreated(protocol) + ", and opening the image failed: ");
    }
  }

  /** Whether what an image stands on need not be there before the copy is complete. */
  boolean isOverlayToCome(@Nullable BlockNode backing) {
    return existing && backing != null && backing != source;
  }

  /** Opens what an image says that it stands on, and has it shown. */
  @InCoroutine
  void openBacking(BlockNode image) throws BlockException {
    Edge file = image.child("file");
    if (file == null || !(image.driverOrNull() instanceof ImageDescription.Source described)) {
      return;
    }
    ImageDescription description = described.description();
    String name = description.backingName();
    if (name == null) {
      return;
    }
    BlockNode below =
        daemon.open(
            BackingName.address(file.child(), name, description.backingFormat()),
            image.options().withReadOnly(true).withAutoReadOnly(false));
    try {
      daemon
          .graph()
          .reopen(
              List.of(
                  new ReopenChange(
                      image,
                      image.options(),
                      null,
                      List.of(
                          new ReopenChange.ChildChange(
                              "backing", Set.of(EdgeRole.COPY_ON_WRITE), below)))));
    } finally {
      daemon.graph().release(below);
    }
  }

  /**
   * How the image is reached unless it is a file. Nothing can be made there: a new image is then
   * what is there already, which is all the same for one without a format.
   */
  private @Nullable String protocol() throws BlockException {
    int colon = target.indexOf(':');
    if (target.startsWith(FILE) || colon <= 0 || target.lastIndexOf('/', colon) >= 0) {
      return null;
    }
    String protocol = target.substring(0, colon).replaceAll("\\+.*", "");
    if (!existing && !"raw".equals(format) && !protocol.equals(format)) {
      throw new BlockException(Errno.EOPNOTSUPP, notCreated(protocol));
    }
    return protocol;
  }

  private static String notCreated(String protocol) {
    return "Protocol driver '" + protocol + "' does not support image creation";
  }

  @InCoroutine
  private void create(@Nullable BlockNode backing) throws BlockException {
    String name = target.startsWith(FILE) ? target.substring(FILE.length()) : target;
    String made = Objects.requireNonNull(format);
    Path path = Path.of(name);
    try {
      String text = "size=" + source.lengthBytes();
      if (backing != null) {
        text +=
            ",backing_file=%s,backing_fmt=%s"
                .formatted(FileNames.of(backing).replace(",", ",,"), backing.driver().formatName());
      }
      daemon.makeImage(name, made, ImageCreation.options(made).parse(text));
    } catch (OptionException e) {
      throw new BlockException(Errno.EINVAL, e.getMessage());
    }
    zero = daemon.main().callBlocking(() -> Files.isRegularFile(path));
  }
}
