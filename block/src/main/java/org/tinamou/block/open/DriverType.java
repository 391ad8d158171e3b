package org.tinamou.block.open;

import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** A kind of node that can be asked for by {@code driver=NAME}. One instance in a program. */
public interface DriverType {
  /** The name in {@code driver=}. */
  @AnyThread
  String name();

  /**
   * Opens the driver of a new node. It reads its options and opens its children through {@code
   * opening}; options that nobody reads are refused afterwards. If it fails, children that were
   * opened are closed with the node. Main loop.
   */
  @InCoroutine
  BlockDriver open(NodeOpening opening) throws BlockException, OptionException;

  /**
   * The options that tell which data the node shows, apart from its children: those that a {@code
   * json:} name of it has to repeat. One that ends in a dot stands for all below it.
   */
  @AnyThread
  default List<String> significantOptions() {
    return List.of();
  }

  /** The bottom of a graph: found by the beginning of a name, never by probing. */
  interface Protocol extends DriverType {
    /** The beginnings of names, without the colon, that ask for it; may be empty. */
    @AnyThread
    List<String> prefixes();

    /**
     * Whether a name without a beginning is one of its own, by what it names on the host.
     *
     * @param context whose host calls to use
     */
    @InCoroutine
    default boolean claims(AioContext context, String fileName) {
      return false;
    }

    /**
     * The options that a name stands for, by dotted names.
     *
     * @param name with its beginning, or without one if the driver was given apart from it
     */
    @AnyThread
    Json.Members optionsOfName(String name) throws OptionException;
  }

  /** Whether it shows a child's data unchanged. */
  @AnyThread
  default boolean isFilter() {
    return false;
  }
}
