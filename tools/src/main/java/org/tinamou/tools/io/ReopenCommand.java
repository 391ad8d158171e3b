package org.tinamou.tools.io;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.block.DetectZeroes;
import org.tinamou.block.NodeOptions;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionList;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.OptionText;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.ImageFormats;
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
    Map<String, String> rest = new LinkedHashMap<>(request.options);
    boolean raw = image.format().equals(ImageFormats.RAW);
    Long offset = raw ? size("offset", rest.remove("offset")) : null;
    Long size = raw ? size("size", rest.remove("size")) : null;
    for (Map.Entry<String, String> option : rest.entrySet()) {
      wanted = with(image, wanted, option.getKey(), option.getValue());
    }
    image.reopen(wanted, willWrite, offset, size);
    if (cache != null) {
      image.setWriteThrough(cache.isWritethrough());
    }
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

  private static NodeOptions with(OpenImage image, NodeOptions options, String key, String value)
      throws ToolException {
    return switch (key) {
      case "read-only" -> options.withReadOnly(bool(key, value));
      case "auto-read-only" -> options.withAutoReadOnly(bool(key, value));
      case "cache.direct" -> options.withCacheDirect(bool(key, value));
      case "cache.no-flush" -> options.withCacheNoFlush(bool(key, value));
      case "discard" -> options.withDiscardUnmap(discard(value));
      case "detect-zeroes" -> options.withDetectZeroes(detectZeroes(value));
      case "file", "backing" ->
          throw new ToolException("Cannot find device='' nor node-name='" + value + "'");
      default -> {
        boolean same =
            key.equals("driver") && value.equals(image.format())
                || key.equals("file.filename") && value.equals(image.hostName());
        if (!same) {
          String own = key.startsWith("file.") ? key.substring("file.".length()) : key;
          throw new ToolException("Cannot change the option '" + own + "'");
        }
        yield options;
      }
    };
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
