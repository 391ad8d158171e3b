package org.tinamou.block;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.Json;

/**
 * What a node was opened from.
 *
 * @param options the options given for the node itself and its children, by dotted names, as they
 *     were written
 * @param significant the options that tell which data the node shows; one that ends in a dot stands
 *     for all below it
 * @param probed whether its format was found by looking at the data
 * @param openedWith the node that it was opened with as a child, and takes settings over from; null
 *     if it was opened by itself
 */
public record NodeOrigin(
    Map<String, Json> options,
    List<String> significant,
    boolean probed,
    @Nullable BlockNode openedWith) {
  /** Of a node that is opened by itself. */
  public NodeOrigin(Map<String, Json> options, List<String> significant, boolean probed) {
    this(options, significant, probed, null);
  }

  /** Of a node that a program made without options. */
  public static final NodeOrigin NONE = new NodeOrigin(Map.of(), List.of(), false);

  /** Whether an option belongs to those that tell which data the node shows. */
  public boolean isSignificant(String name) {
    for (String each : significant) {
      if (each.equals(name) || (each.endsWith(".") && name.startsWith(each))) {
        return true;
      }
    }
    return false;
  }

  /** The same of a node that was opened as a parent's child. */
  public NodeOrigin with(BlockNode parent) {
    return new NodeOrigin(options, significant, probed, parent);
  }

  /** The same, with what the node was told later. */
  public NodeOrigin with(Map<String, Json> later) {
    Map<String, Json> all = new LinkedHashMap<>(options);
    all.putAll(later);
    return new NodeOrigin(all, significant, probed, openedWith);
  }
}
