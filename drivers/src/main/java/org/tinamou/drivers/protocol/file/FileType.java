package org.tinamou.drivers.protocol.file;

import java.nio.file.Path;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.HostFiles;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code driver=file}, {@code host_device} and {@code host_cdrom}. */
public final class FileType implements DriverType.Protocol {
  private final String name;
  private final FileOpener opener;

  private FileType(String name, FileOpener opener) {
    this.name = name;
    this.opener = opener;
  }

  /** All of them. */
  public static List<FileType> all() {
    return all(FileOpener.HOST);
  }

  /** All of them, which also open what was passed to this program. */
  public static List<FileType> withSets(DescriptorSets sets) {
    return all(sets);
  }

  private static List<FileType> all(FileOpener opener) {
    return List.of(
        new FileType("file", opener),
        new FileType("host_device", opener),
        new FileType("host_cdrom", opener));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<String> prefixes() {
    return List.of(name);
  }

  /** Devices are known by what they are, whatever they are called. */
  @Override
  public boolean claims(AioContext context, String fileName) {
    if (!name.equals("host_device") || fileName.isEmpty() || fileName.indexOf('\0') >= 0) {
      return false;
    }
    HostFiles files = context.hostFiles();
    try {
      return isDevice(context.callBlocking(() -> files.kind(Path.of(fileName))));
    } catch (ErrnoException missing) {
      return false;
    }
  }

  private static boolean isDevice(HostFiles.Kind kind) {
    return kind == HostFiles.Kind.BLOCK_DEVICE || kind == HostFiles.Kind.CHARACTER_DEVICE;
  }

  @Override
  public List<String> significantOptions() {
    return List.of("filename");
  }

  @Override
  public Json.Members optionsOfName(String fileName) {
    String prefix = name + ":";
    if (!fileName.startsWith(prefix)) {
      return new Json.Members().put("filename", fileName);
    }
    String path = fileName.substring(prefix.length());
    int colon = path.indexOf(':');
    // What looks like a protocol's name must not be taken for one the next time.
    boolean looksSo = colon >= 0 && path.lastIndexOf('/', colon) < 0;
    return new Json.Members().put("filename", looksSo ? "./" + path : path);
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    OptionReader options = opening.options();
    String path = options.stringOrNull("filename");
    if (path == null || path.isEmpty()) {
      throw new BlockException(
          Errno.EINVAL, "The '" + name + "' block driver requires a file name");
    }
    if (path.indexOf('\0') >= 0) {
      throw new BlockException(Errno.EINVAL, "a file name cannot contain a zero byte");
    }
    boolean locks = readOpenOptions(opening);
    refusePipe(opening, path);
    FileDriver file = openFile(opening, Path.of(path), path);
    try {
      opening.foundFile(file.status().device(), file.status().inode());
      checkKind(file.kind(), path);
      return FileNode.of(opening.node(), name, file, locks);
    } catch (BlockException e) {
      file.close();
      throw e;
    }
  }

  /** To open a pipe would be to wait for its other end. */
  private void refusePipe(NodeOpening opening, String path) throws BlockException {
    AioContext context = opening.node().context();
    HostFiles.Kind kind;
    try {
      kind = context.callBlocking(() -> context.hostFiles().kind(Path.of(path)));
    } catch (ErrnoException e) {
      return; // told when it is opened
    }
    if (kind == HostFiles.Kind.OTHER) {
      checkKind(kind, path);
    }
  }

  /** Reads the options that say how the file is used; true if others are to be kept away. */
  private static boolean readOpenOptions(NodeOpening opening)
      throws BlockException, OptionException {
    OptionReader options = opening.options();
    String locking = options.wordOrNull("locking", List.of("auto", "on", "off"));
    // Which of them does the work is the loop's choice; all move the same bytes.
    String engine = options.wordOrNull("aio", List.of("threads", "native", "io_uring"));
    if ("native".equals(engine) && !opening.settings().cacheDirect()) {
      throw new BlockException(
          Errno.EINVAL,
          "aio=native was specified, but it requires cache.direct=on, which was not specified.");
    }
    options.uint64("aio-max-batch", 0);
    String manager = options.stringOrNull("pr-manager");
    if (manager != null) {
      throw new BlockException(
          Errno.ENOENT, "No persistent reservation manager with id '" + manager + "'");
    }
    // Both are about handing a running guest over to another host.
    options.bool("drop-cache", true);
    options.bool("x-check-cache-dropped", false);
    return !"off".equals(locking);
  }

  private void checkKind(HostFiles.Kind kind, String path) throws BlockException {
    if (name.equals("file") && kind != HostFiles.Kind.REGULAR) {
      throw new BlockException(
          Errno.EINVAL, "'file' driver requires '" + path + "' to be a regular file");
    }
    if (!name.equals("file") && !isDevice(kind)) {
      throw new BlockException(
          Errno.EINVAL,
          "'%s' driver requires '%s' to be either a character or block device"
              .formatted(name, path));
    }
  }

  /** Under auto-read-only the file is opened for reading, until somebody needs to write. */
  private FileDriver openFile(NodeOpening opening, Path path, String text) throws BlockException {
    NodeOptions settings = opening.settings();
    boolean reading = opening.node().isReadOnly() || settings.autoReadOnly();
    CacheMode cache = settings.cacheDirect() ? CacheMode.NONE : CacheMode.WRITEBACK;
    return FileDriver.openUnlocked(
        opening.node().context(),
        opener,
        path,
        text,
        new FileOptions(reading, cache, Permission.NONE, Permission.ALL));
  }
}
