package org.tinamou.block.open;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tinamou.aio.AnyThread;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeNames;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.MemberOrder;

/** What open nodes are called: by a plain name where one says it all, else by their options. */
public final class FileNames {
  private FileNames() {}

  /** A name by which the same image can be opened again; {@code json:} if it needs options. */
  @AnyThread
  public static String of(BlockNode given) {
    BlockNode node = NodeNames.shown(given);
    if (node.driverOrNull() instanceof BlockDriver.NamedAsOther other) {
      return of(other.namesake());
    }
    String exact = exactOrEmpty(node);
    return exact.isEmpty()
        ? "json:" + JsonWriter.compact(MemberOrder.sorted(options(node)))
        : exact;
  }

  /** The plain name, or the empty text if there is none. */
  @AnyThread
  public static String exactOrEmpty(BlockNode given) {
    BlockNode node = NodeNames.shown(given);
    if (node.driverOrNull() instanceof BlockDriver.NamedAsOther other) {
      return exactOrEmpty(other.namesake());
    }
    return node.driverOrNull() instanceof BlockDriver.Named named ? named.exactFileName() : "";
  }

  /**
   * The plain name of an image whose file a node is: that of the file, unless the file is an image
   * itself, which nobody would look for by the name alone; the empty text if there is none.
   */
  @AnyThread
  public static String exactOfImageIn(BlockNode file) {
    return file.child("file") == null ? exactOrEmpty(file) : "";
  }

  /**
   * The plain name that relative names in an image begin at: that of the first node with one, from
   * the image's own down to its file. Empty if there is none.
   */
  @AnyThread
  public static String placeOrEmpty(BlockNode node) {
    for (BlockNode at = node; at != null; at = at.primaryChild()) {
      String exact = exactOrEmpty(at);
      if (!exact.isEmpty()) {
        return exact;
      }
    }
    return "";
  }

  /** The options that open the same image again. */
  @AnyThread
  public static Json.Members options(BlockNode node) {
    Json.Members all = new Json.Members();
    boolean named = !exactOrEmpty(node).isEmpty();
    for (Map.Entry<String, Json> option : node.origin().options().entrySet()) {
      boolean below = named && option.getKey().equals("backing"); // as the image says itself
      if (node.origin().isSignificant(option.getKey()) && !below) {
        all.put(option.getKey(), option.getValue());
      }
    }
    Map<String, Json.Array> lists = new LinkedHashMap<>();
    for (Edge edge : node.children()) {
      if (named && edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
        continue; // the image says itself what is below it
      }
      int dot = edge.name().lastIndexOf('.');
      if (dot > 0) {
        lists
            .computeIfAbsent(edge.name().substring(0, dot), _ -> new Json.Array())
            .add(options(edge.child()));
      } else {
        all.put(edge.name(), options(NodeNames.shown(edge.child())));
      }
    }
    lists.forEach(all::put);
    BlockDriver driver = node.driverOrNull();
    if (driver != null) {
      all.put("driver", driver.formatName());
    }
    return all;
  }
}
