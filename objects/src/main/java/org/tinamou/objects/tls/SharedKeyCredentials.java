package org.tinamou.objects.tls;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** {@code tls-creds-psk}: a key that both sides know. */
final class SharedKeyCredentials extends TlsCredentials {
  private final String user;
  private final Map<String, byte[]> keys;

  private SharedKeyCredentials(CredentialOptions options, String user, Map<String, byte[]> keys) {
    super(options);
    this.user = user;
    this.keys = keys;
  }

  static SharedKeyCredentials load(CredentialOptions options, @Nullable String givenUser)
      throws OptionException {
    if (options.isServer() && givenUser != null) {
      throw new OptionException("username should not be set when endpoint=server");
    }
    Path file = options.required("keys.psk");
    Map<String, byte[]> keys = keys(file);
    String user = givenUser == null ? "qemu" : givenUser;
    if (!options.isServer() && !keys.containsKey(user)) {
      throw new OptionException("Username " + user + " not found in PSK file " + file);
    }
    return new SharedKeyCredentials(options, user, keys);
  }

  private static Map<String, byte[]> keys(Path file) throws OptionException {
    Map<String, byte[]> keys = new LinkedHashMap<>();
    try {
      for (String line : Files.readString(file, StandardCharsets.UTF_8).split("\n", -1)) {
        int colon = line.lastIndexOf(':');
        if (colon > 0 && !line.startsWith("#")) {
          keys.put(
              line.substring(0, colon), HexFormat.of().parseHex(line.substring(colon + 1).strip()));
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new OptionException("Unable to read PSK file " + file + ": " + e.getMessage());
    }
    return keys;
  }

  @Override
  public Json.Members properties() {
    Json.Members all = super.properties();
    if (endpoint() == Endpoint.CLIENT) {
      all.put("username", user);
    }
    return all;
  }

  @Override
  TlsEngine newEngine(@Nullable String host) throws TlsException {
    if (endpoint() == Endpoint.SERVER) {
      return BouncyPeers.sharedKeyServer(keys, versions());
    }
    byte[] key = keys.get(user);
    if (key == null) {
      throw new TlsException("there is no key of user " + user);
    }
    return BouncyPeers.sharedKeyClient(user, key, versions());
  }
}
