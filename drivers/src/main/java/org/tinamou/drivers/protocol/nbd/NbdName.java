package org.tinamou.drivers.protocol.nbd;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.SocketAddress;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** Names of NBD disks: URIs, and the older way to write them. */
final class NbdName {
  private static final String EXPORT_NAME = ":exportname=";
  private static final String UNIX = "unix:";

  /** An option that names with an "s" stand for: no connection in the clear. */
  static final String TLS_REQUIRED = "x-tls-required";

  private NbdName() {}

  /** The options that a name stands for. */
  static Json.Members options(String name) throws OptionException {
    if (name.contains("://")) {
      return ofUri(name);
    }
    int end = name.indexOf(EXPORT_NAME);
    Json.Members options = new Json.Members();
    if (end >= 0) {
      String export = name.substring(end + EXPORT_NAME.length());
      if (export.isEmpty()) {
        return options;
      }
      options.put("export", export);
    }
    String server = end < 0 ? name : name.substring(0, end);
    if (!server.startsWith("nbd:")) {
      throw new OptionException("File name string for new protocols must start with 'nbd:'");
    }
    String address = server.substring("nbd:".length());
    if (address.isEmpty()) {
      return options;
    }
    if (address.startsWith(UNIX)) {
      options.put("server.type", "unix");
      return options.put("server.path", address.substring(UNIX.length()));
    }
    return inet(options, address);
  }

  private static Json.Members inet(Json.Members options, String address) throws OptionException {
    int colon =
        address.startsWith("[")
            ? address.indexOf("]:") + (address.contains("]:") ? 1 : 0)
            : address.indexOf(':');
    if (colon <= 0 || colon == address.length() - 1) {
      throw new OptionException("error parsing address '" + address + "'");
    }
    String host = address.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    options.put("server.type", "inet");
    options.put("server.host", host);
    return options.put("server.port", address.substring(colon + 1));
  }

  private static OptionException noUrl() {
    return new OptionException("No valid URL specified");
  }

  private static Json.Members ofUri(String uri) throws OptionException {
    int schemeEnd = uri.indexOf("://");
    String scheme = uri.substring(0, schemeEnd);
    String rest = uri.substring(schemeEnd + 3);
    int fragment = rest.indexOf('#');
    if (fragment >= 0) {
      rest = rest.substring(0, fragment);
    }
    int question = rest.indexOf('?');
    String query = question < 0 ? null : rest.substring(question + 1);
    String place = question < 0 ? rest : rest.substring(0, question);
    int slash = place.indexOf('/');
    String authority = slash < 0 ? place : place.substring(0, slash);
    String path = slash < 0 ? "" : decode(place.substring(slash + 1));
    Json.Members options = new Json.Members();
    if (!path.isEmpty()) {
      options.put("export", path);
    }
    if (scheme.startsWith("nbds")) {
      options.put(TLS_REQUIRED, true);
    }
    return switch (scheme) {
      case "nbd", "nbd+tcp", "nbds", "nbds+tcp" -> tcp(options, authority, query);
      case "nbd+unix", "nbds+unix" -> unix(options, authority, query);
      default -> throw noUrl();
    };
  }

  private static Json.Members unix(Json.Members options, String authority, @Nullable String query)
      throws OptionException {
    if (!authority.isEmpty() || query == null) {
      throw noUrl();
    }
    List<String> sockets = new ArrayList<>();
    int parameters = 0;
    for (String each : query.split("[&;]")) {
      parameters++;
      if (each.startsWith("socket=")) {
        sockets.add(decode(each.substring("socket=".length())));
      }
    }
    if (parameters != 1 || sockets.size() != 1) {
      throw noUrl();
    }
    options.put("server.type", "unix");
    return options.put("server.path", sockets.getFirst());
  }

  private static Json.Members tcp(Json.Members options, String authority, @Nullable String query)
      throws OptionException {
    String place = authority.substring(authority.lastIndexOf('@') + 1);
    int colon = place.startsWith("[") ? place.indexOf("]:") + 1 : place.indexOf(':');
    boolean hasPort = colon > 0;
    String host = hasPort ? place.substring(0, colon) : place;
    String port = hasPort ? place.substring(colon + 1) : "";
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    if (host.isEmpty()
        || (query != null && !query.isEmpty())
        || !port.chars().allMatch(each -> each >= '0' && each <= '9')) {
      throw noUrl();
    }
    options.put("server.type", "inet");
    options.put("server.host", decode(host));
    return options.put("server.port", port.isEmpty() ? Integer.toString(Nbd.DEFAULT_PORT) : port);
  }

  private static String decode(String text) throws OptionException {
    if (text.indexOf('%') < 0) {
      return text;
    }
    java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream();
    for (int i = 0; i < text.length(); i++) {
      char next = text.charAt(i);
      if (next != '%') {
        bytes.writeBytes(String.valueOf(next).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
      int low = high < 0 ? -1 : Character.digit(text.charAt(i + 2), 16);
      if (low < 0) {
        throw noUrl();
      }
      bytes.write(high << 4 | low);
      i += 2;
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** The plain name of an export, or the empty text if it has none. */
  static String of(NbdSettings settings) {
    String export = settings.export();
    String path = export.isEmpty() ? "" : "/" + export;
    return switch (settings.address()) {
      case SocketAddress.Unix unix -> "nbd+unix://" + path + "?socket=" + unix.path();
      case SocketAddress.Inet inet -> "nbd://" + bracketed(inet.host()) + ":" + inet.port() + path;
      case SocketAddress.Vsock _, SocketAddress.Descriptor _ -> "";
    };
  }

  private static String bracketed(String host) {
    return host.contains(":") ? "[" + host + "]" : host;
  }
}
