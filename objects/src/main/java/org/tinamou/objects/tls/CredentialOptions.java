package org.tinamou.objects.tls;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** What all kinds of credentials are told. */
record CredentialOptions(
    TlsCredentials.Endpoint endpoint,
    @Nullable String directory,
    boolean verifyPeer,
    @Nullable String priority,
    TlsVersions versions) {
  static final List<String> PROPERTIES =
      List.of(
          "dir=<string>",
          "endpoint=<QCryptoTLSCredsEndpoint>",
          "priority=<string>",
          "verify-peer=<bool>");

  static CredentialOptions read(OptionReader options) throws OptionException {
    String endpoint = options.wordOrNull("endpoint", List.of("client", "server"));
    String directory = options.stringOrNull("dir");
    String priority = options.stringOrNull("priority");
    return new CredentialOptions(
        "server".equals(endpoint) ? TlsCredentials.Endpoint.SERVER : TlsCredentials.Endpoint.CLIENT,
        directory,
        options.bool("verify-peer", true),
        priority,
        TlsVersions.parse(priority));
  }

  boolean isServer() {
    return endpoint == TlsCredentials.Endpoint.SERVER;
  }

  /** A file that has to be there, or null if it need not and is not. */
  @Nullable Path file(String name, boolean required) throws OptionException {
    if (directory == null) {
      throw new OptionException("Missing 'dir' property value");
    }
    Path file = Path.of(directory, name);
    if (Files.isReadable(file)) {
      return file;
    }
    if (!required && !Files.exists(file)) {
      return null;
    }
    Errno problem = Files.exists(file) ? Errno.EACCES : Errno.ENOENT;
    throw new OptionException("Unable to access credentials " + file + ": " + problem.message());
  }

  /** A file that has to be there. */
  Path required(String name) throws OptionException {
    Path file = file(name, true);
    return file == null ? Path.of(name) : file;
  }
}
