package org.tinamou.tools.cli;

import java.util.List;

/** The option {@code --object}, which nothing needs yet. */
public final class ObjectArgument {
  private static final List<String> LATER =
      List.of(
          "authz-list",
          "authz-list-file",
          "authz-simple",
          "iothread",
          "main-loop",
          "pr-manager-helper",
          "secret",
          "secret_keyring",
          "thread-context",
          "throttle-group",
          "tls-cipher-suites",
          "tls-creds-anon",
          "tls-creds-psk",
          "tls-creds-x509");

  private ObjectArgument() {}

  /** What to say of a definition, {@code type,id=...}. */
  public static ToolException refuse(String definition) {
    int comma = definition.indexOf(',');
    String type = comma < 0 ? definition : definition.substring(0, comma);
    return new ToolException(
        LATER.contains(type)
            ? "Objects are not supported by this version of Tinamou"
            : "Parameter 'qom-type' does not accept value '" + type + "'");
  }
}
