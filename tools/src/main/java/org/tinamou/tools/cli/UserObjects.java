package org.tinamou.tools.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.tinamou.base.Clocks;
import org.tinamou.base.Errno;
import org.tinamou.base.Parsed;
import org.tinamou.block.BlockException;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.drivers.filter.throttle.ThrottleGroups;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionTree;

/** The objects that {@code --object} defines, by their identifiers. Belongs to one command. */
public final class UserObjects {
  /** All kinds, with their properties as the help lists them. */
  private static final Map<String, List<String>> KINDS = new TreeMap<>();

  private static final String HINT =
      "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.";
  private static final Pattern IDENTIFIER = Pattern.compile("[a-zA-Z][a-zA-Z0-9._-]*");

  static {
    List<String> anonymous =
        List.of(
            "dir=<string>",
            "endpoint=<QCryptoTLSCredsEndpoint>",
            "priority=<string>",
            "verify-peer=<bool>");
    KINDS.put("authz-list", List.of("policy=<QAuthZListPolicy>", "rules=<QAuthZListRule>"));
    KINDS.put("authz-list-file", List.of("filename=<string>", "refresh=<bool>"));
    KINDS.put("authz-simple", List.of("identity=<string>"));
    KINDS.put(
        "main-loop",
        List.of("aio-max-batch=<int>", "thread-pool-max=<int>", "thread-pool-min=<int>"));
    KINDS.put("pr-manager-helper", List.of("path=<string>"));
    KINDS.put(
        "secret",
        List.of(
            "data=<string>",
            "file=<string>",
            "format=<QCryptoSecretFormat>",
            "iv=<string>",
            "keyid=<string>"));
    KINDS.put(
        "secret_keyring",
        List.of(
            "format=<QCryptoSecretFormat>", "iv=<string>", "keyid=<string>", "serial=<int32_t>"));
    KINDS.put("thread-context", List.of("cpu-affinity=<int>", "node-affinity=<int>"));
    KINDS.put("throttle-group", throttleProperties());
    KINDS.put("tls-cipher-suites", anonymous);
    KINDS.put("tls-creds-anon", anonymous);
    KINDS.put(
        "tls-creds-psk",
        List.of(
            "dir=<string>",
            "endpoint=<QCryptoTLSCredsEndpoint>",
            "priority=<string>",
            "username=<string>",
            "verify-peer=<bool>"));
    KINDS.put(
        "tls-creds-x509",
        List.of(
            "dir=<string>",
            "endpoint=<QCryptoTLSCredsEndpoint>",
            "passwordid=<string>",
            "priority=<string>",
            "sanity-check=<bool>",
            "verify-peer=<bool>"));
  }

  private final Map<String, Object> objects = new LinkedHashMap<>();
  private final Map<String, ThrottleGroup> groups = new LinkedHashMap<>();

  private static List<String> throttleProperties() {
    List<String> all = new java.util.ArrayList<>();
    all.add("limits=<ThrottleLimits>");
    for (String what : List.of("bps-read", "bps-total", "bps-write", "iops-read")) {
      all.addAll(ofLimit(what));
    }
    all.add("x-iops-size=<int>");
    all.addAll(ofLimit("iops-total"));
    all.addAll(ofLimit("iops-write"));
    return List.copyOf(all);
  }

  private static List<String> ofLimit(String what) {
    String name = "x-" + what;
    return List.of(name + "-max-length=<int>", name + "-max=<int>", name + "=<int>");
  }

  /**
   * Defines one.
   *
   * @param definition {@code type,id=name,property=value,...}, or JSON
   * @throws ToolException also with exit code 0 and no message, once help has been printed that the
   *     definition asked for
   */
  public void add(Console console, String definition) throws ToolException {
    if (definition.equals("help") || definition.equals("?")) {
      throw list(console);
    }
    try {
      OptionReader reader;
      if (definition.startsWith("{")) {
        reader = OptionReader.of(json(definition), OptionReader.Style.TYPED);
      } else {
        OptionTree.Written written = OptionTree.parse(definition, "qom-type");
        reader = OptionReader.of(written.options(), OptionReader.Style.KEY_VALUE);
        if (written.asksForHelp()) {
          String kind = reader.string("qom-type");
          throw KINDS.containsKey(kind) ? describe(console, kind) : list(console);
        }
      }
      define(reader);
    } catch (OptionException e) {
      throw ToolException.of("", e);
    } catch (BlockException e) {
      throw ToolException.of("", e);
    }
  }

  /**
   * The throttle groups among them, each made when it is first asked for.
   *
   * @param clocks what their limits are measured by
   */
  public ThrottleGroups throttleGroups(Clocks clocks) {
    return id ->
        objects.get(id) instanceof ThrottleConfig config
            ? groups.computeIfAbsent(id, name -> new ThrottleGroup(name, clocks, config))
            : null;
  }

  private static ToolException done() {
    return new ToolException(0, List.of(), null);
  }

  private static Json.Members json(String text) throws OptionException {
    return switch (JsonParser.parse(text)) {
      case Parsed.Value<Json>(Json.Members members) -> members;
      case Parsed.Value<Json> _ -> throw new OptionException("Invalid JSON object given");
      case Parsed.Malformed<Json> malformed -> throw new OptionException(malformed.message());
    };
  }

  private static String kind(OptionReader reader) throws OptionException {
    String kind = reader.string("qom-type");
    if (!KINDS.containsKey(kind) && !kind.equals("iothread")) {
      throw new OptionException("Parameter 'qom-type' does not accept value '" + kind + "'");
    }
    return kind;
  }

  private static ToolException list(Console console) {
    console.line("List of user creatable objects:");
    KINDS.keySet().forEach(kind -> console.line("  " + kind));
    return done();
  }

  private static ToolException describe(Console console, String kind) {
    console.line(kind + " options:");
    KINDS.getOrDefault(kind, List.of()).forEach(property -> console.line("  " + property));
    return done();
  }

  private void define(OptionReader reader) throws OptionException, BlockException, ToolException {
    String kind = kind(reader);
    String id = reader.string("id");
    Object object =
        switch (kind) {
          case "secret" -> secret(reader);
          case "throttle-group" -> throttleGroup(reader);
          case "authz-simple" -> reader.string("identity");
          case "iothread" -> throw new ToolException("invalid object type: iothread");
          default ->
              throw new ToolException(
                  "Objects of type '" + kind + "' are not supported by this version of Tinamou");
        };
    reader.finish();
    if (!IDENTIFIER.matcher(id).matches()) {
      throw new ToolException(1, List.of("Parameter 'id' expects an identifier"), HINT);
    }
    if (objects.containsKey(id)) {
      throw new ToolException(
          "attempt to add duplicate property '" + id + "' to object (type 'container')");
    }
    objects.put(id, object);
  }

  /** Limits stand below {@code limits.} or, each for itself, behind {@code x-}. */
  private static ThrottleConfig throttleGroup(OptionReader reader)
      throws OptionException, BlockException {
    Json.Members single = new Json.Members();
    for (String property : throttleProperties()) {
      String name = property.substring(0, property.indexOf('='));
      Long value = name.startsWith("x-") ? reader.int64OrNull(name) : null;
      if (value != null && value < 0) {
        throw new BlockException(Errno.EINVAL, "Property values cannot be negative");
      }
      if (value != null) {
        single.put(name.substring(2), value);
      }
    }
    ThrottleConfig config =
        ThrottleConfig.UNLIMITED.read(OptionReader.of(single, OptionReader.Style.TYPED));
    OptionReader limits = reader.objectOrNull("limits");
    return limits == null ? config : config.read(limits);
  }

  private Object secret(OptionReader reader) throws OptionException, ToolException {
    String data = reader.stringOrNull("data");
    String file = reader.stringOrNull("file");
    reader.wordOrNull("format", List.of("raw", "base64"));
    reader.stringOrNull("iv");
    String key = reader.stringOrNull("keyid");
    reader.finish();
    if (data != null && file != null) {
      throw new ToolException("'file' and 'data' are mutually exclusive");
    }
    if (key != null && !(objects.get(key) instanceof String)) {
      throw new ToolException("No secret with id '" + key + "'");
    }
    if (file != null) {
      return content(file);
    }
    if (data == null) {
      throw new ToolException("Either 'file' or 'data' must be provided");
    }
    return data;
  }

  private static String content(String file) throws ToolException {
    Errno problem;
    try {
      return Files.readString(Path.of(file), java.nio.charset.StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      problem = Errno.ENOENT;
    } catch (IOException e) {
      problem = Errno.EACCES;
    }
    throw new ToolException(
        "Unable to read "
            + file
            + ": Failed to open file \u201c"
            + file
            + "\u201d: "
            + problem.message());
  }
}
