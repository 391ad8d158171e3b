package org.tinamou.block;

import java.util.List;
import java.util.Map;
import org.tinamou.qapi.Json;

/**
 * What a node was opened from.
 *
 * @param options the options given for the node itself and its children, by dotted names, as they
 *     were written
 * @param significant the options that tell which data the node shows; one that ends in a dot stands
 *     for all below it
 * @param probed whether its format was found by looking at the data
 */
public record NodeOrigin(Map<String, Json> options, List<String> significant, boolean probed) {
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
}
