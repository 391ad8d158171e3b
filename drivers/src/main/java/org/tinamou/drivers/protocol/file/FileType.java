package org.tinamou.drivers.protocol.file;

import java.nio.file.Path;
import java.util.List;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code driver=file} and {@code driver=host_device}. */
public final class FileType implements DriverType.Protocol {
  private final String name;

  private FileType(String name) {
    this.name = name;
  }

  /** Both of them. */
  public static List<FileType> all() {
    return List.of(new FileType("file"), new FileType("host_device"));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<String> prefixes() {
    return List.of(name);
  }

  @Override
  public List<String> significantOptions() {
    return List.of("filename");
  }

  @Override
  public Json.Members optionsOfName(String fileName) {
    String prefix = name + ":";
    String path = fileName.startsWith(prefix) ? fileName.substring(prefix.length()) : fileName;
    return new Json.Members().put("filename", path);
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
    options.wordOrNull("aio", List.of("threads", "native", "io_uring"));
    String locking = options.wordOrNull("locking", List.of("auto", "on", "off"));
    boolean locks = !"off".equals(locking);
    NodeOptions settings = opening.settings();
    CacheMode cache = settings.cacheDirect() ? CacheMode.NONE : CacheMode.WRITEBACK;
    FileDriver file = open(opening, Path.of(path), path, cache);
    try {
      return FileNode.of(opening.node(), file, locks);
    } catch (BlockException e) {
      file.close();
      throw e;
    }
  }

  private static FileDriver open(NodeOpening opening, Path path, String text, CacheMode cache)
      throws BlockException {
    FileOptions reading = new FileOptions(true, cache, Permission.NONE, Permission.ALL);
    if (opening.node().isReadOnly()) {
      return FileDriver.open(opening.node().context(), path, text, reading);
    }
    FileOptions writing = new FileOptions(false, cache, Permission.NONE, Permission.ALL);
    try {
      return FileDriver.open(opening.node().context(), path, text, writing);
    } catch (BlockException e) {
      if (e.errno() != Errno.EACCES && e.errno() != Errno.EROFS && e.errno() != Errno.EPERM) {
        throw e;
      }
      opening.node().becomeReadOnly(e);
      return FileDriver.open(opening.node().context(), path, text, reading);
    }
  }
}
