package org.tinamou.tools.nbd;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.objects.tls.TlsCredentials;
import org.tinamou.tools.cli.BackgroundWorker;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.TraceOption;
import org.tinamou.tools.cli.TrustOptions;
import org.tinamou.tools.cli.Version;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.getopt.OptionScanner;
import org.tinamou.tools.image.SnapshotChoice;

/** Shows a disk image to NBD clients, as the reference's qemu-nbd does. */
public final class NbdTool implements Tool {
  private static final int CACHE = 256;
  private static final int AIO = 257;
  private static final int DISCARD = 258;
  private static final int DETECT_ZEROES = 259;
  private static final int OBJECT = 260;
  private static final int TLS_CREDS = 261;
  private static final int IMAGE_OPTS = 262;
  private static final int FORK = 263;
  private static final int TLS_AUTHZ = 264;
  private static final int PID_FILE = 265;
  private static final int SELINUX_LABEL = 266;
  private static final int TLS_HOSTNAME = 267;
  private static final int HANDSHAKE_LIMIT = 268;
  private static final int STDIO = 269;

  private static final String LETTERS = "hVb:o:p:rsnc:dvk:e:f:tl:x:T:D:AB:L";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.flag("version", 'V'),
          LongOption.withValue("bind", 'b'),
          LongOption.withValue("port", 'p'),
          LongOption.withValue("socket", 'k'),
          LongOption.withValue("offset", 'o'),
          LongOption.flag("read-only", 'r'),
          LongOption.flag("allocation-depth", 'A'),
          LongOption.withValue("bitmap", 'B'),
          LongOption.withValue("connect", 'c'),
          LongOption.flag("disconnect", 'd'),
          LongOption.flag("list", 'L'),
          LongOption.flag("snapshot", 's'),
          LongOption.withValue("load-snapshot", 'l'),
          LongOption.flag("nocache", 'n'),
          LongOption.withValue("cache", CACHE),
          LongOption.withValue("aio", AIO),
          LongOption.withValue("discard", DISCARD),
          LongOption.withValue("detect-zeroes", DETECT_ZEROES),
          LongOption.withValue("shared", 'e'),
          LongOption.withValue("format", 'f'),
          LongOption.flag("persistent", 't'),
          LongOption.flag("verbose", 'v'),
          LongOption.withValue("object", OBJECT),
          LongOption.withValue("export-name", 'x'),
          LongOption.withValue("description", 'D'),
          LongOption.withValue("tls-creds", TLS_CREDS),
          LongOption.withValue("tls-hostname", TLS_HOSTNAME),
          LongOption.withValue("tls-authz", TLS_AUTHZ),
          LongOption.flag("image-opts", IMAGE_OPTS),
          LongOption.withValue("trace", 'T'),
          LongOption.flag("fork", FORK),
          LongOption.withValue("pid-file", PID_FILE),
          LongOption.withValue("selinux-label", SELINUX_LABEL),
          LongOption.withValue("handshake-limit", HANDSHAKE_LIMIT),
          LongOption.flag("stdio", STDIO),
          TrustOptions.LONG.getFirst(),
          TrustOptions.LONG.getLast());

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    OptionScanner scanner =
        new OptionScanner(
            console.program(),
            arguments,
            LETTERS,
            LONG,
            console.err(),
            System.getenv("POSIXLY_CORRECT") != null);
    NbdOptions options = new NbdOptions();
    for (int code = scanner.next(); code != OptionScanner.END; code = scanner.next()) {
      switch (code) {
        case 'h' -> {
          console.out().print(NbdHelp.usage(console.program()));
          return 0;
        }
        case 'V' -> {
          console.line(Version.text(console.program()).replaceFirst(" version ", " "));
          return 0;
        }
        case OptionScanner.UNKNOWN ->
            throw new ToolException("Try `" + console.program() + " --help' for more information.");
        case 'T' -> TraceOption.accept(console, scanner.value());
        case OBJECT -> options.objects.add(console, scanner.value());
        case SELINUX_LABEL -> throw new ToolException("SELinux labels are not supported");
        default -> {
          if (!console.trust().take(code, scanner.valueOrNull())) {
            take(options, code, scanner.valueOrNull());
          }
        }
      }
    }
    List<String> operands = scanner.operands();
    if (options.list) {
      return list(console, options, operands);
    }
    if (operands.size() != 1) {
      throw new ToolException(
          1,
          List.of("Invalid number of arguments"),
          "Try `" + console.program() + " --help' for more information.");
    }
    if (options.disconnect) {
      return DeviceOptions.disconnect(console, operands.getFirst());
    }
    check(options);
    options.credentials(TlsCredentials.Endpoint.SERVER);
    if (options.fork) {
      return BackgroundWorker.start(console, "--fork");
    }
    String file = operands.getFirst();
    return LoopRunner.run("serve", context -> new ImageServer(context, console, options).run(file));
  }

  private static int list(Console console, NbdOptions options, List<String> operands)
      throws ToolException {
    if (!operands.isEmpty()) {
      throw new ToolException("List mode is incompatible with a file name");
    }
    if (options.servesImage()) {
      throw new ToolException("List mode is incompatible with per-device settings");
    }
    if (options.fork || options.stdio) {
      throw new ToolException(
          "List mode is incompatible with " + (options.fork ? "--fork" : "--stdio"));
    }
    return LoopRunner.run("list", context -> ExportListing.print(context, console, options));
  }

  private static void check(NbdOptions options) throws ToolException {
    if (options.socket != null && !Path.of(options.socket).isAbsolute()) {
      throw new ToolException("socket path must be absolute");
    }
    if (options.device != null && options.tlsCredentials != null) {
      throw new ToolException("TLS is not supported with a host device");
    }
    if (options.imageOptions && options.format != null) {
      throw new ToolException("--image-opts and -f are mutually exclusive");
    }
    if (options.stdio
        && (options.socket != null
            || options.bind != null
            || options.port != null
            || options.persistent
            || options.fork)) {
      throw new ToolException("--stdio serves one client, on standard input and output");
    }
  }

  private static void take(NbdOptions options, int code, @Nullable String given)
      throws ToolException {
    String value = given == null ? "" : given;
    switch (code) {
      case 'b' -> options.bind = value;
      case 'p' -> options.port = value;
      case 'k' -> options.socket = value;
      case 'o' -> options.offset(value);
      case 'r' -> options.readOnly = true;
      case 'A' -> options.allocationDepth = true;
      case 'B' -> options.bitmaps.add(value);
      case 'c' -> options.device = value;
      case 'd' -> options.disconnect = true;
      case 'L' -> options.list = true;
      case 's' -> options.snapshot = true;
      case 'l' -> {
        options.loadSnapshot = SnapshotChoice.parse(value, "`" + value + "'");
        options.readOnly = true;
      }
      case 'n' -> options.cache("none");
      case CACHE -> options.cache(value);
      case AIO -> options.aio(value);
      case DISCARD -> options.discard(value);
      case DETECT_ZEROES -> options.detectZeroes(value);
      case 'e' -> options.shared(value);
      case 'f' -> options.format = value;
      case 't' -> options.persistent = true;
      case 'v' -> options.verbose = true;
      case 'x' -> options.exportName(value);
      case 'D' -> options.description(value);
      case IMAGE_OPTS -> options.imageOptions = true;
      case FORK -> options.fork = true;
      case TLS_CREDS -> options.tlsCredentials = value;
      case TLS_HOSTNAME -> options.tlsHostname = value;
      case TLS_AUTHZ -> options.tlsAuthorization = value;
      case PID_FILE -> options.pidFile = value;
      case HANDSHAKE_LIMIT -> options.handshakeLimit(value);
      case STDIO -> options.stdio = true;
      default -> throw new IllegalStateException("option " + code);
    }
  }
}
