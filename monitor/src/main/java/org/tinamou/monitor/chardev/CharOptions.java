package org.tinamou.monitor.chardev;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.SocketAddress;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionList;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionSchema.Option;
import org.tinamou.qapi.OptionValues;

/**
 * How a character device is written on a command line or in a command.
 *
 * @param id its name
 */
public record CharOptions(String id, CharSpec spec) {
  private static final long DEFAULT_RING_BYTES = 65536;
  private static final Pattern IDENTIFIER = Pattern.compile("[a-zA-Z][a-zA-Z0-9._-]*");

  private static final OptionSchema SCHEMA = new OptionSchema(options());

  /** The backends that exist, as the reference lists them. */
  public static final List<String> BACKENDS =
      List.of("pipe", "null", "ringbuf", "stdio", "socket", "file", "memory", "pty");

  private static List<Option> options() {
    List<Option> all = new ArrayList<>();
    for (String name :
        "backend,path,host,port,fd,localaddr,localport,tls-creds,tls-authz,name,chardev,logfile"
            .split(",")) {
      all.add(Option.string(name, ""));
    }
    for (String name : "to,reconnect,width,height,cols,rows,debug".split(",")) {
      all.add(Option.number(name, ""));
    }
    for (String name :
        ("ipv4,ipv6,wait,server,delay,nodelay,telnet,tn3270,websocket,mux,signal,append,logappend,"
                + "mouse,clipboard,tight,abstract")
            .split(",")) {
      all.add(Option.bool(name, ""));
    }
    all.add(Option.size("size", ""));
    return all;
  }

  // --------------------------------------------------------------------------- the command line

  /**
   * Reads the text behind {@code --chardev}.
   *
   * @throws OptionException with the message for the user
   */
  public static CharOptions parse(String text) throws OptionException {
    String full = text;
    List<OptionList.Entry> entries = OptionList.parse(text);
    if (!entries.isEmpty() && entries.getFirst().value() == null) {
      full = "backend=" + text;
    }
    String id = OptionList.values(full).get("id");
    StringBuilder rest = new StringBuilder();
    for (OptionList.Entry entry : OptionList.parse(full)) {
      if (!entry.key().equals("id")) {
        String value = entry.value();
        rest.append(rest.isEmpty() ? "" : ",").append(entry.key());
        rest.append(value == null ? "" : "=" + value.replace(",", ",,"));
      }
    }
    if (id != null && !IDENTIFIER.matcher(id).matches()) {
      throw new OptionException(
          "Parameter 'id' expects an identifier",
          "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.");
    }
    OptionValues values = SCHEMA.parse(rest.toString());
    if (id == null) {
      throw new OptionException("chardev: no id specified");
    }
    String backend = values.string("backend");
    if (backend == null) {
      throw new OptionException("chardev: \"" + id + "\" missing backend");
    }
    return new CharOptions(id, written(backend, values));
  }

  private static CharSpec written(String backend, OptionValues values) throws OptionException {
    refuse(values.string("logfile") != null, "logfile");
    refuse(values.bool("mux", false), "mux");
    return switch (backend) {
      case "null" -> new CharSpec.Null();
      case "stdio" -> new CharSpec.Stdio(values.bool("signal", true));
      case "pty" -> new CharSpec.Pty();
      case "ringbuf", "memory" ->
          new CharSpec.RingBuffer(
              values.string("size") == null ? DEFAULT_RING_BYTES : values.size("size", 0));
      case "pipe" -> new CharSpec.Pipe(path(values, "pipe: no device path given"));
      case "file" ->
          new CharSpec.File(
              null, path(values, "file: no filename given"), values.bool("append", false));
      case "socket" -> writtenSocket(values);
      case "udp", "serial", "tty", "parallel", "parport", "mux" ->
          throw new OptionException("'" + backend + "' character devices are not supported");
      default -> throw new OptionException("'" + backend + "' is not a valid char driver name");
    };
  }

  private static void refuse(boolean given, String name) throws OptionException {
    if (given) {
      throw new OptionException("'" + name + "' of character devices is not supported");
    }
  }

  private static Path path(OptionValues values, String missing) throws OptionException {
    String path = values.string("path");
    if (path == null) {
      throw new OptionException("chardev: " + missing);
    }
    return Path.of(path);
  }

  private static CharSpec writtenSocket(OptionValues values) throws OptionException {
    refuseExtensions(
        values.string("tls-creds"), values.bool("websocket", false), values.bool("tn3270", false));
    String path = values.string("path");
    String host = values.string("host");
    String fd = values.string("fd");
    SocketTarget target;
    if (path != null) {
      refuse(values.bool("abstract", false), "abstract");
      target = SocketTarget.of(new SocketAddress.Unix(path));
    } else if (host != null) {
      String port = values.string("port");
      if (port == null) {
        throw new OptionException("chardev: socket: no port given");
      }
      target =
          SocketTarget.inet(
              host, port, values.number("to", -1), bool(values, "ipv4"), bool(values, "ipv6"));
    } else {
      target = SocketTarget.descriptor(fd == null ? "" : fd);
    }
    return socket(
        target,
        values.bool("server", false),
        bool(values, "wait"),
        true,
        values.bool("telnet", false),
        values.number("reconnect", 0));
  }

  private static @Nullable Boolean bool(OptionValues values, String name) throws OptionException {
    return values.string(name) == null ? null : values.bool(name, false);
  }

  private static void refuseExtensions(@Nullable String credentials, boolean web, boolean tn3270)
      throws OptionException {
    if (credentials != null) {
      throw new OptionException("No TLS credentials with id '" + credentials + "'");
    }
    refuse(web, "websocket");
    refuse(tn3270, "tn3270");
  }

  private static CharSpec socket(
      SocketTarget target,
      boolean server,
      @Nullable Boolean wait,
      boolean waitByDefault,
      boolean telnet,
      long reconnectSeconds)
      throws OptionException {
    if (server && reconnectSeconds > 0) {
      throw new OptionException(
          "'reconnect' option is incompatible with socket in server listen mode");
    }
    if (!server && wait != null) {
      throw new OptionException("'wait' option is incompatible with socket in client connect mode");
    }
    boolean waits = wait == null ? waitByDefault : wait;
    return new CharSpec.Socket(target, server, server && waits, telnet, reconnectSeconds);
  }

  // ----------------------------------------------------------------------------------- commands

  /**
   * Reads a backend of {@code chardev-add}, whose types were checked.
   *
   * @throws OptionException with the message for the client
   */
  public static CharSpec read(OptionReader backend) throws OptionException {
    String type = backend.string("type");
    OptionReader data = backend.object("data");
    refuse(data.stringOrNull("logfile") != null, "logfile");
    return switch (type) {
      case "null" -> new CharSpec.Null();
      case "stdio" -> new CharSpec.Stdio(data.bool("signal", true));
      case "pty" -> new CharSpec.Pty();
      case "ringbuf", "memory" -> new CharSpec.RingBuffer(data.int64("size", DEFAULT_RING_BYTES));
      case "pipe" -> new CharSpec.Pipe(Path.of(data.string("device")));
      case "file" -> {
        String input = data.stringOrNull("in");
        yield new CharSpec.File(
            input == null ? null : Path.of(input),
            Path.of(data.string("out")),
            data.bool("append", false));
      }
      case "socket" -> readSocket(data);
      default -> throw new OptionException("'" + type + "' is not a valid char driver name");
    };
  }

  private static CharSpec readSocket(OptionReader data) throws OptionException {
    refuseExtensions(
        data.stringOrNull("tls-creds"), data.bool("websocket", false), data.bool("tn3270", false));
    return socket(
        target(data.object("addr")),
        data.bool("server", true),
        data.boolOrNull("wait"),
        false,
        data.bool("telnet", false),
        data.int64("reconnect", 0));
  }

  private static SocketTarget target(OptionReader address) throws OptionException {
    OptionReader data = address.object("data");
    return switch (address.string("type")) {
      case "unix" -> {
        refuse(data.bool("abstract", false), "abstract");
        yield SocketTarget.of(new SocketAddress.Unix(data.string("path")));
      }
      case "inet" -> {
        Long to = data.uint64OrNull("to");
        yield SocketTarget.inet(
            data.string("host"),
            data.string("port"),
            to == null ? -1 : to,
            data.boolOrNull("ipv4"),
            data.boolOrNull("ipv6"));
      }
      case "vsock" -> {
        yield SocketTarget.of(
            new SocketAddress.Vsock(vsock(data.string("cid")), vsock(data.string("port"))));
      }
      default -> throw new OptionException("only QEMU supports file descriptor passing");
    };
  }

  private static int vsock(String number) throws OptionException {
    try {
      return Integer.parseUnsignedInt(number);
    } catch (NumberFormatException e) {
      throw new OptionException("Failed to parse vsock number '" + number + "'");
    }
  }
}
