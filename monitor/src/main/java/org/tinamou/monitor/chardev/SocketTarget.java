package org.tinamou.monitor.chardev;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.SocketAddress;
import org.tinamou.qapi.OptionException;

/**
 * Where a socket is, with the ports that may be tried.
 *
 * @param address the first that is tried
 * @param lastPort up to which ports are tried to listen on, if the first is taken
 */
public record SocketTarget(SocketAddress address, int lastPort) {
  private static final int MAX_PORT = 65535;

  /** Just one address. */
  static SocketTarget of(SocketAddress address) {
    return new SocketTarget(address, -1);
  }

  /**
   * A descriptor that was handed over.
   *
   * @throws OptionException if the text is no number
   */
  static SocketTarget descriptor(String text) throws OptionException {
    try {
      int fd = Integer.parseInt(text);
      if (fd >= 0) {
        return of(new SocketAddress.Descriptor(fd));
      }
    } catch (NumberFormatException e) {
      // told below
    }
    throw new OptionException("Unable to parse FD number " + text);
  }

  /**
   * TCP.
   *
   * @param to the last port to try, or -1
   * @param inet4 whether IPv4 is wanted; null if nothing is said of it
   * @param inet6 the same for IPv6
   */
  static SocketTarget inet(
      String host, String port, long to, @Nullable Boolean inet4, @Nullable Boolean inet6)
      throws OptionException {
    int number = port.isEmpty() ? 0 : number(port);
    if (number < 0) {
      throw new OptionException(
          "address resolution failed for "
              + host
              + ":"
              + port
              + ": Servname not supported for ai_socktype");
    }
    if (number > MAX_PORT || to > MAX_PORT) {
      throw new OptionException("port " + (number > MAX_PORT ? port : to) + " is out of range");
    }
    boolean only4 = Boolean.TRUE.equals(inet4) && !Boolean.TRUE.equals(inet6);
    boolean only6 = Boolean.TRUE.equals(inet6) && !Boolean.TRUE.equals(inet4);
    boolean use4 = !Boolean.FALSE.equals(inet4) && !only6;
    boolean use6 = !Boolean.FALSE.equals(inet6) && !only4;
    if (!use4 && !use6) {
      throw new OptionException("Cannot disable IPv4 and IPv6 at same time");
    }
    return new SocketTarget(new SocketAddress.Inet(host, number, use4, use6), (int) to);
  }

  static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /** As lists of devices show it. */
  String shown(int boundPort, boolean telnet) {
    String tcp = telnet ? "telnet:" : "tcp:";
    return switch (address) {
      case SocketAddress.Unix(String path) -> "unix:" + path;
      case SocketAddress.Inet inet ->
          tcp
              + (inet.host().contains(":") ? "[" + inet.host() + "]" : inet.host())
              + ":"
              + (boundPort >= 0 ? boundPort : inet.port());
      case SocketAddress.Vsock vsock -> "vsock:" + vsock;
      case SocketAddress.Descriptor(int fd) -> "fd:" + fd;
    };
  }
}
