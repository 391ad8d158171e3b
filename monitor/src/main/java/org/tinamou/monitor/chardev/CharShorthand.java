package org.tinamou.monitor.chardev;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.OptionException;

/** The short way to write a character device, as {@code -qmp} and {@code -monitor} have it. */
public final class CharShorthand {
  private static final String EXISTING = "chardev:";
  private static final List<String> SIMPLE = List.of("null", "pty", "stdio");

  private CharShorthand() {}

  /** The name of the device that the text says is there already, or null. */
  public static @Nullable String existingOrNull(String text) {
    return text.startsWith(EXISTING) ? text.substring(EXISTING.length()) : null;
  }

  /**
   * Reads {@code stdio}, {@code unix:PATH[,options]}, {@code tcp:[HOST]:PORT[,options]}, {@code
   * telnet:} with the same, {@code file:PATH}, {@code pipe:PATH}, {@code pty} and {@code null}.
   *
   * @param id the name of the device
   * @throws OptionException with the messages for the user, one a line
   */
  public static CharOptions parse(String id, String text) throws OptionException {
    String full = expandedOrNull(text);
    if (full == null) {
      boolean known = text.startsWith("tcp:") || text.startsWith("telnet:");
      throw new OptionException(
          (known ? "" : "'" + text + "' is not a valid char driver\n") + "parse error: " + text);
    }
    try {
      return CharOptions.parse(full + ",id=" + id);
    } catch (OptionException e) {
      boolean unknown = e.getMessage().startsWith("Invalid parameter");
      throw unknown ? new OptionException(e.getMessage() + "\nparse error: " + text) : e;
    }
  }

  private static @Nullable String expandedOrNull(String text) {
    if (SIMPLE.contains(text)) {
      return text;
    }
    int colon = text.indexOf(':');
    if (colon < 0) {
      return null;
    }
    String rest = text.substring(colon + 1);
    return switch (text.substring(0, colon)) {
      case "file" -> "file,path=" + rest.replace(",", ",,");
      case "pipe" -> "pipe,path=" + rest.replace(",", ",,");
      case "unix" -> rest.isEmpty() ? "socket" : "socket," + unix(rest);
      case "tcp" -> inetOrNull(rest, "");
      case "telnet" -> inetOrNull(rest, ",telnet=on");
      default -> null;
    };
  }

  /** The first word is the path, unless it says itself what it is. */
  private static String unix(String rest) {
    int comma = rest.indexOf(',');
    String first = comma < 0 ? rest : rest.substring(0, comma);
    return first.indexOf('=') < 0 ? "path=" + rest : rest;
  }

  private static @Nullable String inetOrNull(String rest, String more) {
    int comma = rest.indexOf(',');
    String address = comma < 0 ? rest : rest.substring(0, comma);
    int colon = address.lastIndexOf(':');
    if (colon < 0 || colon == address.length() - 1) {
      return null;
    }
    String host = address.substring(0, colon);
    return "socket,host="
        + host
        + ",port="
        + address.substring(colon + 1)
        + more
        + (comma < 0 ? "" : rest.substring(comma));
  }
}
