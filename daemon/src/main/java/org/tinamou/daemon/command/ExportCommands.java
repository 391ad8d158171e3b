package org.tinamou.daemon.command;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.SocketAddress;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.export.Exports;
import org.tinamou.daemon.export.ServerAddresses;
import org.tinamou.monitor.CommandContext;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.nbd.server.ServerTls;
import org.tinamou.objects.authz.Authorization;
import org.tinamou.objects.tls.TlsCredentials;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionReader.Choice;

/** Exports, and the NBD server. */
final class ExportCommands {
  private static final List<String> MODES = List.of("safe", "hard");
  private static final long NANOS_A_SECOND = 1_000_000_000L;

  private final Daemon daemon;

  ExportCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.act("nbd-server-start", this::start);
    list.action("nbd-server-stop", _ -> daemon.exports().stopServer());
    list.action("nbd-server-add", this::addByDevice);
    list.action("nbd-server-remove", arguments -> remove(arguments, "name"));
    list.action("block-export-add", this::add);
    list.action("block-export-del", arguments -> remove(arguments, "id"));
    list.query("query-block-exports", _ -> daemon.exports().report());
  }

  private void start(OptionReader arguments, CommandContext context)
      throws OptionException, BlockException {
    daemon.exports().refuseSecondServer();
    ServerOptions options = ServerOptions.DEFAULT;
    Long most = arguments.uint32OrNull("max-connections");
    if (most != null) {
      options = options.withMaxConnections((int) Math.min(most, Integer.MAX_VALUE));
    }
    Long limit = arguments.uint32OrNull("handshake-max-seconds");
    if (limit != null) {
      options = options.withHandshakeNanos(limit * NANOS_A_SECOND);
    }
    String credentials = arguments.stringOrNull("tls-creds");
    String authorization = arguments.stringOrNull("tls-authz");
    if (credentials != null) {
      TlsCredentials found =
          TlsCredentials.find(daemon.objects(), credentials, TlsCredentials.Endpoint.SERVER);
      options = options.withTls(new ServerTls(found, authorization(authorization)));
    } else if (authorization != null) {
      throw new OptionException("TLS authorization is incompatible with no TLS credentials");
    }
    listen(arguments.object("addr"), context.monitor(), options);
  }

  /** Listens; a socket that a client has named is the server's from now on, or closed. */
  private void listen(OptionReader from, @Nullable Object monitor, ServerOptions options)
      throws OptionException, BlockException {
    OptionReader data = from.objectOrNull("data");
    OptionReader members = data == null ? from : data;
    String name = from.string("type").equals("fd") ? members.stringOrNull("str") : null;
    if (name == null || monitor == null) {
      daemon.exports().startServer(ServerAddresses.read(from), options);
      return;
    }
    Integer fd = daemon.namedDescriptors().take(monitor, name);
    if (fd == null) {
      throw new OptionException("File descriptor named '" + name + "' has not been found");
    }
    try {
      daemon.exports().startServer(new SocketAddress.Descriptor(fd), options);
    } catch (BlockException e) {
      DescriptorCommands.close(daemon, fd);
      throw e.errno() == Errno.ENOTSOCK
          ? new BlockException(e.errno(), "File descriptor '" + name + "' is not a socket")
          : e;
    }
  }

  private @Nullable Authorization authorization(@Nullable String id) throws OptionException {
    if (id == null) {
      return null;
    }
    if (daemon.objects().find(id) instanceof Authorization found) {
      return found;
    }
    throw new OptionException("Cannot find authz object with id '" + id + "'");
  }

  private void remove(OptionReader arguments, String key) throws OptionException, BlockException {
    boolean hard = "hard".equals(arguments.wordOrNull("mode", MODES));
    daemon.exports().remove(arguments.string(key), !hard);
  }

  private void addByDevice(OptionReader arguments) throws OptionException, BlockException {
    String device = arguments.string("device");
    BlockNode node = daemon.nodes().find(device);
    daemon.exports().requireServer();
    String name = arguments.stringOrNull("name");
    String shown = name == null ? device : name;
    String bitmap = arguments.stringOrNull("bitmap");
    daemon
        .exports()
        .add(
            new Exports.Request(
                shown,
                node.name(),
                shown,
                arguments.stringOrNull("description"),
                arguments.bool("writable", false) && !node.isReadOnly(),
                false,
                null,
                false,
                false,
                bitmap == null ? List.of() : List.of(new Exports.BitmapName(null, bitmap))));
    BlockBackend drive = daemon.nodes().backend(device);
    if (drive != null) {
      daemon.exports().endWithMedium(shown, drive);
    }
  }

  private void add(OptionReader arguments) throws OptionException, BlockException {
    String type = arguments.string("type");
    daemon.exports().refuseId(arguments.string("id"));
    if (!type.equals("nbd")) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "Exports of type '" + type + "' are not supported by this version of Tinamou");
    }
    daemon
        .exports()
        .add(
            new Exports.Request(
                arguments.string("id"),
                arguments.string("node-name"),
                arguments.stringOrNull("name"),
                arguments.stringOrNull("description"),
                arguments.bool("writable", false),
                arguments.bool("writethrough", false),
                arguments.stringOrNull("iothread"),
                arguments.bool("fixed-iothread", false),
                arguments.bool("allocation-depth", false),
                bitmaps(arguments)));
  }

  private static List<Exports.BitmapName> bitmaps(OptionReader arguments) throws OptionException {
    List<Exports.BitmapName> all = new ArrayList<>();
    String single = arguments.stringOrNull("bitmap");
    if (single != null) {
      all.add(new Exports.BitmapName(null, single));
    }
    for (Choice each : arguments.choices("bitmaps", "BlockDirtyBitmapOrStr")) {
      all.add(name(each));
    }
    return all;
  }

  private static Exports.BitmapName name(Choice choice) throws OptionException {
    @Nullable String node = null;
    String name = "";
    if (choice instanceof Choice.Named(String plain)) {
      name = plain;
    } else if (choice instanceof Choice.Inline(OptionReader inline)) {
      node = inline.string("node");
      name = inline.string("name");
    }
    return new Exports.BitmapName(node, name);
  }
}
