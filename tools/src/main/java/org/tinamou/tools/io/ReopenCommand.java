package org.tinamou.tools.io;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DetectZeroes;
import org.tinamou.block.Edge;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.open.FileNames;
import org.tinamou.drivers.format.raw.RawFormat;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionList;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.OptionText;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/** {@code reopen}: changes what the image was told when it was opened. */
final class ReopenCommand {
  /** What is asked for. */
  private static final class Request {
    @Nullable CacheMode cache;
    @Nullable Boolean readOnly;
    final Map<String, String> options = new LinkedHashMap<>();
  }

  private final IoSession session;
  private final Console console;

  ReopenCommand(IoSession session) {
    this.session = session;
    this.console = session.console();
  }

  boolean reopen(IoCommand command, List<String> words) throws IoArguments.Refused, ToolException {
    IoArguments arguments = new IoArguments(console, command, words, "c:o:rw");
    Request request = new Request();
    for (int letter = arguments.next(); letter >= 0; letter = arguments.next()) {
      switch (letter) {
        case 'c' -> request.cache = CacheArgument.parse("cache option", arguments.value());
        case 'o' -> take(request, arguments.value());
        default -> {
          if (request.readOnly != null) {
            throw new ToolException("Only one -r/-w option may be given");
          }
          request.readOnly = letter == 'r';
        }
      }
    }
    arguments.operands(0, 0);
    Map<String, String> options = request.options;
    if (request.readOnly != null && options.containsKey("read-only")) {
      throw new ToolException("Cannot set both -r/-w and 'read-only'");
    }
    if (request.cache != null
        && (options.containsKey("cache.direct") || options.containsKey("cache.no-flush"))) {
      throw new ToolException("Cannot set both -c and the cache options");
    }
    session.drain();
    try {
      change(session.image(), request);
      return true;
    } catch (BlockException e) {
      throw ToolException.of("", e);
    }
  }

  private void take(Request request, String text) throws ToolException {
    Map<String, String> options = OptionList.values(text);
    if (options.containsKey("id")) {
      throw new ToolException("Invalid parameter 'id'");
    }
    OptionText.spelledOut(console, text, null);
    request.options.putAll(options);
  }

  private static void change(OpenImage image, Request request)
      throws ToolException, BlockException {
    NodeOptions wanted = image.options();
    boolean willWrite = image.isWritable();
    Boolean readOnly = request.readOnly;
    if (readOnly != null) {
      willWrite = !readOnly;
      wanted = wanted.withReadOnly(readOnly);
    }
    CacheMode cache = request.cache;
    if (cache != null) {
      wanted = wanted.withCacheDirect(cache.isDirect()).withCacheNoFlush(cache.isNoFlush());
    }
    BlockNode node = image.node();
    Told below = new Told();
    Map<String, String> rest = below.takeChildren(node, request.options);
    RawFormat.Window window = window(node, rest);
    for (Map.Entry<String, String> option : rest.entrySet()) {
      wanted = change(node, option.getKey(), option.getValue()).apply(wanted);
    }
    image.reopen(wanted, below.changes, willWrite, window);
    below.remember();
    if (cache != null) {
      image.setWriteThrough(cache.isWritethrough());
    }
  }

  /** What the nodes below the image are told, which they keep however they are reopened later. */
  private static final class Told {
    final Map<BlockNode, UnaryOperator<NodeOptions>> changes = new LinkedHashMap<>();
    private final Map<BlockNode, Map<String, Json>> options = new LinkedHashMap<>();

    /** Takes what is meant for children that were opened with a node; returns what is left. */
    Map<String, String> takeChildren(BlockNode node, Map<String, String> given)
        throws ToolException {
      Map<String, String> left = new LinkedHashMap<>(given);
      for (Edge edge : node.children()) {
        String prefix = edge.name() + ".";
        Map<String, String> ofChild = new LinkedHashMap<>();
        for (Map.Entry<String, String> each : given.entrySet()) {
          if (each.getKey().startsWith(prefix) && edge.child().origin().openedWith() == node) {
            ofChild.put(each.getKey().substring(prefix.length()), each.getValue());
            left.remove(each.getKey());
          }
        }
        if (!ofChild.isEmpty()) {
          take(edge.child(), takeChildren(edge.child(), ofChild));
        }
      }
      return left;
    }

    private void take(BlockNode node, Map<String, String> given) throws ToolException {
      for (Map.Entry<String, String> each : given.entrySet()) {
        UnaryOperator<NodeOptions> change = change(node, each.getKey(), each.getValue());
        changes.merge(node, change, (one, other) -> options -> other.apply(one.apply(options)));
        options
            .computeIfAbsent(node, _ -> new LinkedHashMap<>())
            .put(each.getKey(), new Json.Text(each.getValue()));
      }
    }

    void remember() {
      options.forEach((node, told) -> node.origin(node.origin().with(told)));
    }
  }

  /** What a raw image is to show of its file, if that is asked for. */
  private static RawFormat.@Nullable Window window(BlockNode node, Map<String, String> options)
      throws ToolException {
    if (!(node.driverOrNull() instanceof RawFormat raw)) {
      return null;
    }
    Long offset = size("offset", options.remove("offset"));
    Long size = size("size", options.remove("size"));
    if (offset == null && size == null) {
      return null;
    }
    RawFormat.Window now = raw.window();
    return new RawFormat.Window(
        offset == null ? now.offsetBytes() : offset, size == null ? now.sizeBytes() : size);
  }

  private static @Nullable Long size(String key, @Nullable String text) throws ToolException {
    if (text == null) {
      return null;
    }
    try {
      OptionSchema schema = new OptionSchema(List.of(OptionSchema.Option.size(key, "")));
      return schema.parse(key + "=" + text.replace(",", ",,")).size(key, 0);
    } catch (OptionException e) {
      throw ToolException.of("", e);
    }
  }

  /** What an option of a node does; one that cannot change has to be as it is. */
  private static UnaryOperator<NodeOptions> change(BlockNode node, String key, String value)
      throws ToolException {
    switch (key) {
      case "read-only" -> {
        boolean on = bool(key, value);
        return options -> options.withReadOnly(on);
      }
      case "auto-read-only" -> {
        boolean on = bool(key, value);
        return options -> options.withAutoReadOnly(on);
      }
      case "cache.direct" -> {
        boolean on = bool(key, value);
        return options -> options.withCacheDirect(on);
      }
      case "cache.no-flush" -> {
        boolean on = bool(key, value);
        return options -> options.withCacheNoFlush(on);
      }
      case "discard" -> {
        boolean unmaps = discard(value);
        return options -> options.withDiscardUnmap(unmaps);
      }
      case "detect-zeroes" -> {
        DetectZeroes zeroes = detectZeroes(value);
        return options -> options.withDetectZeroes(zeroes);
      }
      case "file", "backing" ->
          throw new ToolException("Cannot find device='' nor node-name='" + value + "'");
      default -> {
        boolean same =
            key.equals("driver") && value.equals(formatName(node))
                || key.equals("filename") && value.equals(FileNames.of(node));
        if (!same) {
          throw new ToolException("Cannot change the option '" + key + "'");
        }
        return UnaryOperator.identity();
      }
    }
  }

  private static String formatName(BlockNode node) {
    BlockDriver driver = node.driverOrNull();
    return driver == null ? "" : driver.formatName();
  }

  private static boolean bool(String key, String value) throws ToolException {
    return switch (value) {
      case "on", "yes", "true", "y" -> true;
      case "off", "no", "false", "n" -> false;
      default -> throw new ToolException("Parameter '" + key + "' expects 'on' or 'off'");
    };
  }

  private static boolean discard(String value) throws ToolException {
    return switch (value) {
      case "unmap", "on" -> true;
      case "ignore", "off" -> false;
      default -> throw new ToolException("Invalid discard option");
    };
  }

  private static DetectZeroes detectZeroes(String value) throws ToolException {
    return switch (value) {
      case "off" -> DetectZeroes.OFF;
      case "on" -> DetectZeroes.ON;
      case "unmap" -> DetectZeroes.UNMAP;
      default -> throw new ToolException("invalid parameter value: " + value);
    };
  }
}
