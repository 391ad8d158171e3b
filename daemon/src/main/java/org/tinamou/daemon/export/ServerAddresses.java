package org.tinamou.daemon.export;

import org.tinamou.aio.SocketAddress;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Reads where a socket is: flat ({@code type}, {@code path}), or with {@code data} apart. */
public final class ServerAddresses {
  private static final int MAX_PORT = 65535;

  private ServerAddresses() {}

  /** The address of {@code addr}, whichever form it has. */
  public static SocketAddress read(OptionReader address) throws OptionException {
    String type = address.string("type");
    OptionReader data = address.objectOrNull("data");
    OptionReader from = data == null ? address : data;
    return switch (type) {
      case "unix" -> {
        String path = from.string("path");
        boolean isAbstract = from.bool("abstract", false);
        from.boolOrNull("tight");
        yield new SocketAddress.Unix(isAbstract ? "\0" + path : path);
      }
      case "inet" -> inet(from);
      case "vsock" -> new SocketAddress.Vsock(number(from, "cid"), number(from, "port"));
      case "fd" -> new SocketAddress.Descriptor(number(from, from.has("str") ? "str" : "fd"));
      default -> throw new OptionException("Parameter 'type' does not accept value '" + type + "'");
    };
  }

  private static SocketAddress inet(OptionReader from) throws OptionException {
    String host = from.string("host");
    String port = from.string("port");
    Boolean inet4 = from.boolOrNull("ipv4");
    Boolean inet6 = from.boolOrNull("ipv6");
    for (String ignored : new String[] {"numeric", "keep-alive", "mptcp"}) {
      from.boolOrNull(ignored);
    }
    from.int64OrNull("to");
    int number;
    try {
      number = Integer.parseInt(port);
    } catch (NumberFormatException e) {
      number = -1;
    }
    if (number < 0 || number > MAX_PORT) {
      throw new OptionException(
          "address resolution failed for "
              + host
              + ":"
              + port
              + ": Servname not supported for ai_socktype");
    }
    boolean use4 = inet4 == null ? !Boolean.TRUE.equals(inet6) : inet4;
    boolean use6 = inet6 == null ? !Boolean.TRUE.equals(inet4) : inet6;
    return new SocketAddress.Inet(host, number, use4, use6);
  }

  private static int number(OptionReader from, String name) throws OptionException {
    String text = from.string(name);
    try {
      return Integer.parseUnsignedInt(text);
    } catch (NumberFormatException e) {
      throw new OptionException("Parameter '" + name + "' expects a number");
    }
  }
}
