package org.tinamou.drivers.protocol.nbd;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.SocketAddress;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.nbd.client.ClientTls;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.tls.TlsCredentials;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code driver=nbd}. */
public final class NbdType implements DriverType.Protocol {
  private final ObjectRegistry objects;

  /**
   * The driver of a program.
   *
   * @param objects where it finds the credentials that options name
   */
  public NbdType(ObjectRegistry objects) {
    this.objects = objects;
  }

  private static final long NANOS_A_SECOND = 1_000_000_000L;
  private static final int MAX_CONNECTIONS = 16;

  @Override
  public String name() {
    return "nbd";
  }

  @Override
  public List<String> prefixes() {
    return List.of("nbd", "nbd+tcp", "nbd+unix", "nbds", "nbds+tcp", "nbds+unix");
  }

  @Override
  public List<String> significantOptions() {
    return List.of("path", "host", "port", "export", "tls-creds", "tls-hostname", "server.");
  }

  @Override
  public Json.Members optionsOfName(String name) throws OptionException {
    return NbdName.options(name);
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    NbdDriver driver = NbdDriver.open(opening.node(), settings(opening.options()));
    try {
      if (!opening.node().isReadOnly() && driver.export().has(Nbd.READ_ONLY)) {
        opening.node().becomeReadOnly(BlockException.of(Errno.EACCES, "Could not open image"));
      }
      if (!driver.knowsStatusContext()) {
        throw BlockException.of(Errno.EINVAL, "Could not open image");
      }
      return driver;
    } catch (BlockException e) {
      driver.close();
      throw e;
    }
  }

  private NbdSettings settings(OptionReader options) throws BlockException, OptionException {
    SocketAddress address = address(options);
    String export = options.stringOrNull("export");
    if (export != null && export.getBytes(StandardCharsets.UTF_8).length > Nbd.MAX_STRING_BYTES) {
      throw new BlockException(Errno.EINVAL, "export name too long to send to server");
    }
    String bitmap = options.stringOrNull("x-dirty-bitmap");
    if (bitmap != null && bitmap.getBytes(StandardCharsets.UTF_8).length > Nbd.MAX_STRING_BYTES) {
      throw new BlockException(Errno.EINVAL, "x-dirty-bitmap query too long to send to server");
    }
    ClientTls tls = tls(options, address);
    long reconnect = options.uint32("reconnect-delay", 0);
    long openTimeout = options.uint32("open-timeout", 0);
    long connections = options.uint32("connections", 1);
    if (connections < 1 || connections > MAX_CONNECTIONS) {
      throw new BlockException(
          Errno.EINVAL, "connections must be between 1 and " + MAX_CONNECTIONS);
    }
    return new NbdSettings(
        address,
        tls,
        export == null ? "" : export,
        bitmap,
        reconnect * NANOS_A_SECOND,
        openTimeout * NANOS_A_SECOND,
        (int) connections);
  }

  private @Nullable ClientTls tls(OptionReader options, SocketAddress address)
      throws BlockException, OptionException {
    String id = options.stringOrNull("tls-creds");
    String host = options.stringOrNull("tls-hostname");
    boolean required = options.bool(NbdName.TLS_REQUIRED, false);
    if (id == null) {
      if (required) {
        throw new BlockException(
            Errno.EINVAL, "the name asks for TLS, for which 'tls-creds' is needed");
      }
      return null;
    }
    if (host == null && address instanceof SocketAddress.Inet inet) {
      host = inet.host();
    }
    return new ClientTls(TlsCredentials.find(objects, id, TlsCredentials.Endpoint.CLIENT), host);
  }

  private static SocketAddress address(OptionReader options)
      throws BlockException, OptionException {
    String path = options.stringOrNull("path");
    String host = options.stringOrNull("host");
    String port = options.stringOrNull("port");
    if (path != null && host != null) {
      throw new BlockException(Errno.EINVAL, "path and host may not be used at the same time");
    }
    if (host == null && port != null) {
      throw new BlockException(Errno.EINVAL, "port may not be used without host");
    }
    OptionReader server = options.objectOrNull("server");
    if (server != null) {
      if (path != null || host != null) {
        throw new BlockException(
            Errno.EINVAL, "'server' and path/host/port cannot be used at the same time");
      }
      return address(server, server.word("type", List.of("inet", "unix", "vsock", "fd")));
    }
    if (path != null) {
      return new SocketAddress.Unix(path);
    }
    if (host == null) {
      throw new BlockException(Errno.EINVAL, "NBD server address missing");
    }
    return inet(host, port, true, true);
  }

  private static SocketAddress address(OptionReader server, String type)
      throws BlockException, OptionException {
    return switch (type) {
      case "unix" -> {
        String path = server.string("path");
        boolean isAbstract = server.bool("abstract", false);
        server.boolOrNull("tight");
        yield new SocketAddress.Unix(isAbstract ? "\0" + path : path);
      }
      case "inet" -> {
        String host = server.string("host");
        String port = server.string("port");
        Boolean four = server.boolOrNull("ipv4");
        Boolean six = server.boolOrNull("ipv6");
        server.boolOrNull("keep-alive");
        server.boolOrNull("numeric");
        server.uint64OrNull("to");
        server.boolOrNull("mptcp");
        yield inet(
            host,
            port,
            four == null ? six == null || !six : four,
            six == null ? four == null || !four : six);
      }
      case "vsock" ->
          new SocketAddress.Vsock(
              number("cid", server.string("cid")), number("port", server.string("port")));
      default -> new SocketAddress.Descriptor(number("number", server.string("str")));
    };
  }

  private static SocketAddress inet(String host, @Nullable String port, boolean four, boolean six)
      throws BlockException {
    if (port == null) {
      return new SocketAddress.Inet(host, Nbd.DEFAULT_PORT, four, six);
    }
    try {
      return new SocketAddress.Inet(host, Integer.parseUnsignedInt(port) & 0xffff, four, six);
    } catch (NumberFormatException e) {
      throw new BlockException(
          Errno.EINVAL,
          "address resolution failed for "
              + host
              + ":"
              + port
              + ": Servname not supported for ai_socktype");
    }
  }

  private static int number(String what, String text) throws BlockException {
    try {
      return Integer.parseUnsignedInt(text);
    } catch (NumberFormatException e) {
      throw new BlockException(Errno.EINVAL, "Failed to parse " + what + " '" + text + "'");
    }
  }
}
