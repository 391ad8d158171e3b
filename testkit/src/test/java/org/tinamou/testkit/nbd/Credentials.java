package org.tinamou.testkit.nbd;

import java.net.URISyntaxException;
import java.nio.file.Path;
import org.tinamou.nbd.client.ClientTls;
import org.tinamou.nbd.server.ServerTls;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.authz.Authorization;
import org.tinamou.objects.authz.AuthorizationTypes;
import org.tinamou.objects.tls.TlsCredentialTypes;
import org.tinamou.objects.tls.TlsCredentials;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** How both sides of a test encrypt. */
enum Credentials {
  X509,
  PSK,
  ANON;

  private static Path folder() {
    try {
      return Path.of(Credentials.class.getResource("tls/ca-cert.pem").toURI()).getParent();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private TlsCredentials of(String endpoint) {
    Json.Members options =
        new Json.Members()
            .put("qom-type", "tls-creds-" + name().toLowerCase(java.util.Locale.ROOT))
            .put("id", "t")
            .put("endpoint", endpoint);
    if (this != ANON) {
      options.put("dir", folder().toString());
    }
    if (this == PSK && endpoint.equals("client")) {
      options.put("username", "alice");
    }
    return (TlsCredentials) define(options);
  }

  private static Object define(Json.Members options) {
    ObjectRegistry registry = new ObjectRegistry(TlsCredentialTypes.all());
    ObjectRegistry rules = new ObjectRegistry(AuthorizationTypes.all());
    try {
      OptionReader reader = OptionReader.of(options, OptionReader.Style.TYPED);
      boolean authz = reader.string("qom-type").startsWith("authz");
      return (authz ? rules : registry).define(reader);
    } catch (OptionException e) {
      throw new IllegalStateException(e);
    }
  }

  ServerTls server() {
    return new ServerTls(of("server"), null);
  }

  /** A server that lets in just one peer. */
  ServerTls server(String identity) {
    Json.Members options =
        new Json.Members().put("qom-type", "authz-simple").put("id", "z").put("identity", identity);
    return new ServerTls(of("server"), (Authorization) define(options));
  }

  ClientTls client() {
    return client(this == X509 ? "server.example" : null);
  }

  ClientTls client(String host) {
    return new ClientTls(of("client"), host);
  }
}
