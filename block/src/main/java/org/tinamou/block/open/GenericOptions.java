package org.tinamou.block.open;

import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.DetectZeroes;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** The options that every node takes, and what children take over from their parents. */
public final class GenericOptions {
  private static final Pattern NODE_NAME = Pattern.compile("[a-zA-Z][a-zA-Z0-9._-]*");
  private static final int MAX_NODE_NAME_LENGTH = 31;

  private GenericOptions() {}

  /** The node's name, or null for a generated one. */
  static @Nullable String nodeName(OptionReader options) throws OptionException, BlockException {
    String name = options.stringOrNull("node-name");
    return name == null ? null : checkNodeName(name);
  }

  /**
   * The same name, if a node may be called so.
   *
   * @throws BlockException if not
   */
  @AnyThread
  public static String checkNodeName(String name) throws BlockException {
    if (!NODE_NAME.matcher(name).matches()) {
      throw new BlockException(Errno.EINVAL, "Invalid node-name: '" + name + "'");
    }
    if (name.length() > MAX_NODE_NAME_LENGTH) {
      throw new BlockException(Errno.EINVAL, "Node name too long");
    }
    return name;
  }

  /** What is given, else what is taken over. */
  @HomeThread
  public static NodeOptions read(OptionReader options, NodeOptions defaults)
      throws OptionException, BlockException {
    boolean readOnly = options.bool("read-only", defaults.readOnly());
    boolean autoReadOnly = options.bool("auto-read-only", defaults.autoReadOnly());
    boolean forceShare = options.bool("force-share", defaults.forceShare());
    boolean direct = options.bool("cache.direct", defaults.cacheDirect());
    boolean noFlush = options.bool("cache.no-flush", defaults.cacheNoFlush());
    boolean unmap = discard(options, defaults.discardUnmap());
    DetectZeroes zeroes = detectZeroes(options, defaults.detectZeroes());
    return new NodeOptions(
        readOnly, autoReadOnly, direct, noFlush, unmap, zeroes, forceShare, defaults.forCheck());
  }

  private static boolean discard(OptionReader options, boolean fallback)
      throws OptionException, BlockException {
    if (options.style() != OptionReader.Style.LOOSE) {
      String word = options.wordOrNull("discard", List.of("ignore", "unmap"));
      return word == null ? fallback : word.equals("unmap");
    }
    String text = options.stringOrNull("discard");
    return switch (text) {
      case null -> fallback;
      case "ignore", "off" -> false;
      case "unmap", "on" -> true;
      default -> throw new BlockException(Errno.EINVAL, "Invalid discard option");
    };
  }

  private static DetectZeroes detectZeroes(OptionReader options, DetectZeroes fallback)
      throws OptionException {
    return switch (options.wordOrNull("detect-zeroes", List.of("off", "on", "unmap"))) {
      case "off" -> DetectZeroes.OFF;
      case "on" -> DetectZeroes.ON;
      case "unmap" -> DetectZeroes.UNMAP;
      case null, default -> fallback;
    };
  }

  /** What a child has if its own options do not say otherwise. */
  @HomeThread
  public static NodeOptions forChild(NodeOptions parent, Set<EdgeRole> roles, boolean ofFilter) {
    boolean below = roles.contains(EdgeRole.COPY_ON_WRITE);
    return new NodeOptions(
        below || parent.readOnly(),
        !below && parent.autoReadOnly(),
        parent.cacheDirect(),
        parent.cacheNoFlush(),
        !ofFilter || parent.discardUnmap(),
        DetectZeroes.OFF,
        parent.forceShare(),
        !below && parent.forCheck());
  }
}
