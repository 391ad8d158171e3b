package org.tinamou.tools.nbd;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.SocketAddress;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.tools.cli.ToolException;

/** Where the options say that a server is. */
final class ServerAddress {
  /** The first descriptor that whoever has started the process may have opened for it. */
  private static final int FIRST_PASSED = 3;

  private ServerAddress() {}

  static SocketAddress of(NbdOptions options) throws ToolException {
    if (options.socket != null) {
      return new SocketAddress.Unix(options.socket);
    }
    String host = options.bind == null ? NbdOptions.DEFAULT_BIND : options.bind;
    return new SocketAddress.Inet(host, port(host, options.port));
  }

  private static int port(String host, @Nullable String text) throws ToolException {
    if (text == null) {
      return Nbd.DEFAULT_PORT;
    }
    try {
      // As the C library's resolver does it.
      return Integer.parseUnsignedInt(text) & 0xffff;
    } catch (NumberFormatException e) {
      throw new ToolException(
          "address resolution failed for "
              + host
              + ":"
              + text
              + ": Servname not supported for ai_socktype");
    }
  }

  /** The socket that was opened for this process before it started, or null. */
  static @Nullable SocketAddress passed(NbdOptions options) throws ToolException {
    String process = System.getenv("LISTEN_PID");
    String count = System.getenv("LISTEN_FDS");
    if (process == null
        || count == null
        || !process.equals(Long.toString(ProcessHandle.current().pid()))) {
      return null;
    }
    if (!count.equals("1")) {
      throw new ToolException("qemu-nbd does not support socket activation with LISTEN_FDS > 1");
    }
    if (options.socket != null) {
      throw new ToolException("Unix socket can't be set when using socket activation");
    }
    if (options.bind != null) {
      throw new ToolException("The interface can't be set when using socket activation");
    }
    if (options.port != null) {
      throw new ToolException("TCP port number can't be set when using socket activation");
    }
    return new SocketAddress.Descriptor(FIRST_PASSED);
  }
}
