package org.tinamou.block.open;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/** The drivers of a program, found by their names and by the beginnings of image names. */
public final class DriverList {
  private final Map<String, DriverType> byName = new LinkedHashMap<>();
  private final Map<String, DriverType.Protocol> byPrefix = new LinkedHashMap<>();
  private final Set<String> missing;
  private final FormatProbe probe;

  /**
   * A list that does not change.
   *
   * @param missing names of drivers and protocols that users know but this program does not have
   * @param probe may also name formats that are not in the list
   */
  public DriverList(List<? extends DriverType> types, Set<String> missing, FormatProbe probe) {
    for (DriverType type : types) {
      byName.put(type.name(), type);
      if (type instanceof DriverType.Protocol protocol) {
        protocol.prefixes().forEach(prefix -> byPrefix.put(prefix, protocol));
      }
    }
    this.missing = Set.copyOf(missing);
    this.probe = probe;
  }

  /** The names of all drivers. */
  @AnyThread
  public List<String> names() {
    return List.copyOf(byName.keySet());
  }

  /** The driver of a name. */
  @AnyThread
  public DriverType find(String name) throws BlockException {
    DriverType type = byName.get(name);
    if (type == null) {
      throw missing.contains(name)
          ? new BlockException(
              Errno.EOPNOTSUPP, "Format '" + name + "' is not supported by this version of Tinamou")
          : new BlockException(Errno.EINVAL, "Unknown driver '" + name + "'");
    }
    return type;
  }

  /**
   * The protocol that a name begins with; if it begins with none, who claims it, or the one for
   * host files.
   */
  @InCoroutine
  DriverType.Protocol protocolOf(AioContext context, String fileName) throws BlockException {
    String prefix = prefixOf(fileName);
    if (prefix == null) {
      for (DriverType type : byName.values()) {
        if (type instanceof DriverType.Protocol protocol && protocol.claims(context, fileName)) {
          return protocol;
        }
      }
      return (DriverType.Protocol) find("file");
    }
    DriverType.Protocol protocol = byPrefix.get(prefix);
    if (protocol == null) {
      throw missing.contains(prefix)
          ? new BlockException(
              Errno.EOPNOTSUPP,
              "Protocol '" + prefix + "' is not supported by this version of Tinamou")
          : new BlockException(Errno.EINVAL, "Unknown protocol '" + prefix + "'");
    }
    return protocol;
  }

  /** What stands before a colon, unless there is a slash before it. */
  static @Nullable String prefixOf(String fileName) {
    for (int end = 0; end < fileName.length(); end++) {
      char character = fileName.charAt(end);
      if (character == ':') {
        return fileName.substring(0, end);
      }
      if (character == '/') {
        return null;
      }
    }
    return null;
  }

  FormatProbe probe() {
    return probe;
  }
}
