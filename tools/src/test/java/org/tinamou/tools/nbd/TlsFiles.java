package org.tinamou.tools.nbd;

import java.nio.file.Files;
import java.nio.file.Path;

/** Certificates and keys made for one test. */
final class TlsFiles {
  private final Path folder;

  private TlsFiles(Path folder) {
    this.folder = folder;
  }

  /** An authority, a server and a client; and a key that Alice shares with the server. */
  static TlsFiles make(Path folder) throws Exception {
    TlsFiles made = new TlsFiles(folder);
    Files.createDirectories(folder);
    made.key("ca-key.pem");
    Files.writeString(
        made.file("template"), "cn = Test CA\nca\ncert_signing_key\nexpiration_days = 2\n");
    made.certtool(
        "--generate-self-signed",
        "--load-privkey",
        made.name("ca-key.pem"),
        "--outfile",
        made.name("ca-cert.pem"));
    made.signed("server", "dns_name = server.example\ntls_www_server\nsigning_key\n");
    made.signed("client", "tls_www_client\nsigning_key\n");
    Programs.output("psktool", "-u", "alice", "-p", made.name("keys.psk"));
    return made;
  }

  private void key(String name) throws Exception {
    Programs.output("certtool", "--generate-privkey", "--ecc", "--outfile", file(name).toString());
  }

  /** A certificate of the authority, with a key of its own. */
  void signed(String name, String template) throws Exception {
    key(name + "-key.pem");
    Files.writeString(
        file("template"),
        "cn = " + name + "\norganization = Tinamou\nexpiration_days = 2\n" + template);
    certtool(
        "--generate-certificate",
        "--load-ca-privkey",
        name("ca-key.pem"),
        "--load-ca-certificate",
        name("ca-cert.pem"),
        "--load-privkey",
        name(name + "-key.pem"),
        "--outfile",
        name(name + "-cert.pem"));
  }

  private void certtool(String... arguments) throws Exception {
    String[] command = new String[arguments.length + 3];
    command[0] = "certtool";
    command[1] = "--template";
    command[2] = name("template");
    System.arraycopy(arguments, 0, command, 3, arguments.length);
    Programs.output(command);
  }

  private Path file(String name) {
    return folder.resolve(name);
  }

  private String name(String name) {
    return file(name).toString();
  }

  Path folder() {
    return folder;
  }

  /** A definition of credentials. */
  String object(String kind, String endpoint) {
    String base = "tls-creds-" + kind + ",id=t,endpoint=" + endpoint;
    return switch (kind) {
      case "anon" -> base;
      case "psk" -> base + ",dir=" + folder + (endpoint.equals("client") ? ",username=alice" : "");
      default -> base + ",dir=" + folder;
    };
  }

  /** Image options of a client. */
  String options(String kind, Path socket) {
    String base = "driver=nbd,server.type=unix,server.path=" + socket + ",tls-creds=t";
    return kind.equals("x509") ? base + ",tls-hostname=server.example" : base;
  }
}
