package org.tinamou.tools.image;

import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/** What a user calls an image: a path, or a protocol and what belongs to it. */
public final class ImageName {
  private static final Set<String> LATER_PROTOCOLS =
      Set.of(
          "blkdebug",
          "blklogwrites",
          "blkverify",
          "fat",
          "ftp",
          "ftps",
          "gluster",
          "gluster+rdma",
          "gluster+tcp",
          "gluster+unix",
          "host_cdrom",
          "host_device",
          "http",
          "https",
          "iscsi",
          "iser",
          "nfs",
          "null-aio",
          "null-co",
          "nvme",
          "rbd",
          "ssh",
          "vxhs");
  private static final Set<String> NBD =
      Set.of("nbd", "nbd+tcp", "nbd+unix", "nbds", "nbds+tcp", "nbds+unix");
  private static final String FILE = "file:";

  private ImageName() {}

  /**
   * The protocol by which a name leads to what others keep, or null if it means a file or nothing.
   */
  public static @Nullable String protocolOrNull(String name) {
    int colon = name.indexOf(':');
    return colon > 0 && NBD.contains(name.substring(0, colon)) ? "nbd" : null;
  }

  /** The path of a file, without the protocol in front. */
  public static String pathText(String name) throws BlockException {
    if (name.startsWith(FILE)) {
      String rest = name.substring(FILE.length());
      int colon = rest.indexOf(':');
      // What looks like a protocol's name must not be taken for one the next time.
      return colon >= 0 && rest.lastIndexOf('/', colon) < 0 ? "./" + rest : rest;
    }
    int end = 0;
    while (end < name.length() && name.charAt(end) != ':' && name.charAt(end) != '/') {
      end++;
    }
    if (end < name.length() && name.charAt(end) == ':') {
      String protocol = name.substring(0, end);
      if (protocolOrNull(name) != null) {
        throw new BlockException(
            Errno.EOPNOTSUPP, "Protocol driver 'nbd' does not support image creation");
      }
      throw new BlockException(
          Errno.EINVAL,
          LATER_PROTOCOLS.contains(protocol)
              ? "Protocol '" + protocol + "' is not supported by this version of Tinamou"
              : "Unknown protocol '" + protocol + "'");
    }
    return name;
  }

  /** The file a name means. */
  public static Path path(String name) throws BlockException {
    String text = pathText(name);
    if (text.indexOf('\0') >= 0) {
      throw new BlockException(Errno.EINVAL, "a file name cannot contain a zero byte");
    }
    return Path.of(text);
  }
}
