package org.tinamou.tools.nbd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.nbd.server.ServerTls;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.tls.TlsCredentialTypes;
import org.tinamou.objects.tls.TlsCredentials;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionTree;
import org.tinamou.tools.ToolRun;

/** Encrypted connections between our and others' servers and clients. */
final class TlsInteropTest {
  private static final int SIZE_BYTES = 3 << 20;

  @TempDir Path folder;

  private Path disk() throws Exception {
    byte[] data = new byte[SIZE_BYTES];
    new Random(5).nextBytes(data);
    return Files.write(folder.resolve("disk"), data);
  }

  private OurServer server(TlsFiles files, String kind, Path disk) throws Exception {
    OptionTree.Written written = OptionTree.parse(files.object(kind, "server"), "qom-type");
    TlsCredentials credentials =
        (TlsCredentials)
            new ObjectRegistry(TlsCredentialTypes.all())
                .define(OptionReader.of(written.options(), OptionReader.Style.KEY_VALUE));
    return OurServer.start(
        PollerKind.AUTO,
        disk,
        "raw",
        folder.resolve("socket"),
        ServerOptions.DEFAULT.withTls(new ServerTls(credentials, null)));
  }

  private static void same(Path one, Path other) throws Exception {
    assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(other));
  }

  @ParameterizedTest
  @ValueSource(strings = {"x509", "psk", "anon"})
  void othersUseOurServer(String kind) throws Exception {
    Programs.require("certtool", "psktool", "qemu-img", "nbdcopy");
    TlsFiles files = TlsFiles.make(folder.resolve("tls"));
    Path disk = disk();
    Path copy = folder.resolve("copy");
    try (OurServer server = server(files, kind, disk)) {
      String options = files.options(kind, folder.resolve("socket"));
      Programs.output(
          "qemu-img",
          "convert",
          "--object",
          files.object(kind, "client"),
          "-O",
          "raw",
          "--image-opts",
          options,
          copy.toString());
      same(disk, copy);
      ToolRun ours =
          ToolRun.img(
              "compare",
              "--object",
              files.object(kind, "client"),
              "--image-opts",
              options,
              "driver=raw,file.filename=" + copy);
      assertEquals(0, ours.exitCode(), ours.out() + ours.err());
      if (!kind.equals("anon")) {
        String uri =
            "nbds+unix://alice@/?socket="
                + folder.resolve("socket")
                + (kind.equals("psk")
                    ? "&tls-psk-file=" + files.folder().resolve("keys.psk")
                    : "&tls-certificates=" + files.folder());
        Files.delete(copy);
        if (kind.equals("psk")) {
          Programs.output("nbdcopy", uri, copy.toString());
          same(disk, copy);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"x509", "psk", "anon"})
  void weUseTheReferencesServer(String kind) throws Exception {
    Programs.require("certtool", "psktool", "qemu-nbd");
    TlsFiles files = TlsFiles.make(folder.resolve("tls"));
    Path disk = disk();
    Path pid = folder.resolve("pid");
    Path socket = folder.resolve("socket");
    try (AutoCloseable server =
        Programs.background(
            pid,
            List.of(
                "qemu-nbd",
                "--fork",
                "--pid-file=" + pid,
                "-t",
                "-f",
                "raw",
                "-k",
                socket.toString(),
                "--object",
                files.object(kind, "server"),
                "--tls-creds",
                "t",
                disk.toString()))) {
      copyWithOurs(files, kind, socket, disk);
    }
  }

  private void copyWithOurs(TlsFiles files, String kind, Path socket, Path disk) throws Exception {
    Path copy = folder.resolve("copy");
    ToolRun run =
        ToolRun.img(
            "convert",
            "--object",
            files.object(kind, "client"),
            "-O",
            "raw",
            "--image-opts",
            files.options(kind, socket),
            copy.toString());
    assertEquals(0, run.exitCode(), run.out() + run.err());
    same(disk, copy);
  }

  @ParameterizedTest
  @ValueSource(strings = {"x509", "psk"})
  void weUseNbdkit(String kind) throws Exception {
    Programs.require("certtool", "psktool", "nbdkit");
    TlsFiles files = TlsFiles.make(folder.resolve("tls"));
    Path disk = disk();
    Path pid = folder.resolve("pid");
    Path socket = folder.resolve("socket");
    String keys =
        kind.equals("psk")
            ? "--tls-psk=" + files.folder().resolve("keys.psk")
            : "--tls-certificates=" + files.folder();
    Process server =
        new ProcessBuilder(
                "nbdkit",
                "-f",
                "-P",
                pid.toString(),
                "-U",
                socket.toString(),
                "--tls=require",
                keys,
                "file",
                disk.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    try {
      while (!Files.exists(pid)) {
        assertTrue(server.isAlive(), "nbdkit does not start");
        Thread.onSpinWait();
      }
      copyWithOurs(files, kind, socket, disk);
    } finally {
      server.destroy();
      server.waitFor();
    }
  }

  @Test
  void mistakesInDefinitionsAreToldInTheReferencesWords() throws Exception {
    Programs.require("certtool", "psktool", "qemu-io");
    TlsFiles files = TlsFiles.make(folder.resolve("tls"));
    TlsFiles others = TlsFiles.make(folder.resolve("others"));
    String good = files.folder().toString();
    Path mixed = folder("mixed", files, "server-cert.pem", "server-key.pem");
    Files.copy(others.folder().resolve("ca-cert.pem"), mixed.resolve("ca-cert.pem"));
    Path keyless = folder("keyless", files, "ca-cert.pem", "server-cert.pem");
    Path wrongKey = folder("wrongKey", files, "ca-cert.pem", "server-cert.pem");
    Files.copy(others.folder().resolve("server-key.pem"), wrongKey.resolve("server-key.pem"));
    Path noAuthority = folder("noAuthority", files, "server-cert.pem", "server-key.pem");
    Files.copy(files.folder().resolve("client-cert.pem"), noAuthority.resolve("ca-cert.pem"));
    Path authority = folder("authority", files, "ca-cert.pem");
    Files.copy(files.folder().resolve("ca-cert.pem"), authority.resolve("server-cert.pem"));
    Files.copy(files.folder().resolve("ca-key.pem"), authority.resolve("server-key.pem"));
    Path junk = folder("junk", files, "server-cert.pem", "server-key.pem");
    Files.writeString(junk.resolve("ca-cert.pem"), "junk\n");
    String x509 = "tls-creds-x509,id=t,endpoint=";
    for (String definition :
        List.of(
            x509 + "server,dir=/nonexistent",
            x509 + "server",
            x509 + "neither,dir=" + good,
            x509 + "server,verify-peer=maybe,dir=" + good,
            x509 + "server,passwordid=s,dir=" + good,
            x509 + "server,dir=" + good,
            x509 + "client,dir=" + good,
            x509 + "server,dir=" + mixed,
            x509 + "server,dir=" + keyless,
            x509 + "server,dir=" + wrongKey,
            x509 + "server,dir=" + noAuthority,
            x509 + "server,dir=" + authority,
            x509 + "server,dir=" + junk,
            "tls-creds-psk,id=t,endpoint=server,username=a,dir=" + good,
            "tls-creds-psk,id=t,endpoint=client,dir=" + good,
            "tls-creds-psk,id=t,endpoint=client,username=bob,dir=" + good,
            "tls-creds-psk,id=t,endpoint=client,dir=/nonexistent",
            "tls-creds-psk,id=t,endpoint=client",
            "tls-creds-anon,id=t,dir=/nonexistent",
            "authz-simple,id=z",
            "authz-list,id=z,policy=maybe",
            "authz-list,id=z,policy=deny,rules.0.match=a",
            "authz-list,id=z,policy=deny,rules.0.match=a,rules.0.policy=allow")) {
      Programs.Outcome reference =
          Programs.run(List.of("qemu-io", "--object", definition, "-c", "quit"));
      ToolRun ours = ToolRun.io("--object", definition, "-c", "quit");
      assertEquals(
          reference.output().replace("qemu-io: ", "tinamou-io: "), ours.out() + ours.err());
      assertEquals(reference.exitCode(), ours.exitCode(), definition);
    }
  }

  private Path folder(String name, TlsFiles files, String... copied) throws Exception {
    Path made = Files.createDirectory(folder.resolve(name));
    for (String each : copied) {
      Files.copy(files.folder().resolve(each), made.resolve(each));
    }
    return made;
  }

  @Test
  void rulesDecideInOrder() throws Exception {
    Path rules = folder.resolve("rules.json");
    Files.writeString(
        rules,
        "{'policy': 'deny', 'rules': [{'match': 'CN=b*', 'policy': 'deny', 'format': 'glob'},"
            + " {'match': '[A-C]N=?ob', 'policy': 'allow', 'format': 'glob'}]}",
        StandardCharsets.UTF_8);
    var types = new ObjectRegistry(org.tinamou.objects.authz.AuthorizationTypes.all());
    var written = OptionTree.parse("authz-list-file,id=z,filename=" + rules, "qom-type");
    var authorization =
        (org.tinamou.objects.authz.Authorization)
            types.define(OptionReader.of(written.options(), OptionReader.Style.KEY_VALUE));
    assertTrue(authorization.allows("CN=rob"));
    assertEquals(false, authorization.allows("CN=bob"));
    assertEquals(false, authorization.allows("DN=rob"));
    Files.writeString(rules, "{'policy': 'allow'}");
    assertTrue(authorization.allows("anybody"));
  }
}
