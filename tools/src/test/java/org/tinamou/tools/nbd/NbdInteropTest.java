package org.tinamou.tools.nbd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.SeededRandom;
import org.tinamou.tools.ToolRun;

/** Our server with others' clients, and our client with others' servers. */
final class NbdInteropTest {
  /** How many images are copied both ways. */
  private static final int RANDOM_IMAGES = Integer.getInteger("tinamou.nbd.images", 12);

  private static final int SIZE_BYTES = 4 << 20;
  private static final int CLUSTER_BYTES = 64 << 10;

  @TempDir Path folder;

  /** An image with data here and there, never the same for two seeds. */
  private Path image(String name, long seed) throws Exception {
    SeededRandom random = new SeededRandom(seed);
    Path path = folder.resolve(name);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(SIZE_BYTES);
      for (int at = 0; at < SIZE_BYTES; at += CLUSTER_BYTES) {
        if (random.nextBoolean()) {
          byte[] data = new byte[1 + random.nextInt(CLUSTER_BYTES)];
          for (int i = 0; i < data.length; i++) {
            data[i] = (byte) random.nextInt(256);
          }
          file.seek(at);
          file.write(data);
        }
      }
    }
    return path;
  }

  private static void same(Path one, Path other) throws Exception {
    assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(other));
  }

  private static void good(ToolRun run) {
    assertEquals(0, run.exitCode(), run.out() + run.err());
  }

  // --------------------------------------------------------------------------------- our server

  @ParameterizedTest
  @EnumSource(
      value = PollerKind.class,
      names = {"IO_URING", "EPOLL"})
  void libnbdReadsAndWritesOurServer(PollerKind kind) throws Exception {
    Programs.require("nbdinfo", "nbdcopy");
    Path disk = image("disk", 1);
    Path copy = folder.resolve("copy");
    Path other = image("other", 2);
    try (OurServer server = OurServer.start(kind, disk, "raw", folder.resolve("socket"))) {
      String info = Programs.output("nbdinfo", server.uri());
      assertTrue(info.contains("export-size: " + SIZE_BYTES), info);
      assertTrue(info.contains("can_multi_conn: true"), info);
      assertTrue(info.contains("qemu:allocation-depth"), info);
      Programs.output("nbdcopy", server.uri(), copy.toString());
      same(disk, copy);
      Programs.output("nbdcopy", other.toString(), server.uri());
      Programs.output("nbdcopy", "--connections=4", server.uri(), copy.toString());
      same(other, copy);
      assertEquals(0, server.connections());
    }
    same(other, disk);
  }

  /** What an export holds is there already: an image is made in it, if it is large enough. */
  @Test
  void imagesAreMadeInExports() throws Exception {
    Path source = image("source", 4);
    Path disk = image("disk", 5);
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(2L * SIZE_BYTES);
    }
    try (OurServer server =
        OurServer.start(PollerKind.AUTO, disk, "raw", folder.resolve("socket"))) {
      good(ToolRun.img("convert", "-O", "qcow2", source.toString(), server.uri()));
      good(ToolRun.img("check", "-f", "qcow2", server.uri()));
      good(ToolRun.img("compare", "-f", "raw", "-F", "qcow2", source.toString(), server.uri()));
      ToolRun large = ToolRun.img("create", "-q", "-f", "raw", server.uri(), "1G");
      assertEquals("tinamou-img: " + server.uri() + ": Cannot grow NBD nodes\n", large.err());
      ToolRun gone = ToolRun.img("create", "-q", "-f", "qcow2", server.uri() + ".not", "1M");
      assertTrue(
          gone.err()
              .contains(
                  "Protocol driver 'nbd' does not support image creation, and opening the image"
                      + " failed: "),
          gone.err());
    }
  }

  @Test
  void referenceUsesOurServer() throws Exception {
    Programs.require("qemu-img", "qemu-io");
    Path disk = image("disk", 3);
    Path copy = folder.resolve("copy");
    try (OurServer server =
        OurServer.start(PollerKind.AUTO, disk, "raw", folder.resolve("socket"))) {
      Programs.output("qemu-img", "convert", "-O", "raw", server.uri(), copy.toString());
      same(disk, copy);
      Programs.output(
          "qemu-io",
          "-f",
          "raw",
          "-c",
          "write -P 7 64k 128k",
          "-c",
          "read -P 7 64k 128k",
          "-c",
          "write -z 96k 32k",
          "-c",
          "read -P 0 96k 32k",
          "-c",
          "discard 64k 4k",
          "-c",
          "flush",
          "-c",
          "write -f -P 9 1 3",
          "-c",
          "read -P 9 1 3",
          server.uri());
      String map = Programs.output("qemu-img", "map", "--output=json", server.uri());
      ToolRun ours = ToolRun.img("map", "--output=json", server.uri());
      good(ours);
      assertEquals(map, ours.out());
    }
  }

  @Test
  void chainsAndFormatsAreServed() throws Exception {
    Programs.require("qemu-img", "nbdinfo");
    Path base = folder.resolve("base.qcow2");
    Path top = folder.resolve("top.qcow2");
    Programs.output("qemu-img", "create", "-q", "-f", "qcow2", base.toString(), "1M");
    Programs.output(
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-b",
        base.toString(),
        "-F",
        "qcow2",
        top.toString());
    good(ToolRun.io("-c", "write -P 1 0 64k", base.toString()));
    good(ToolRun.io("-c", "write -P 2 128k 64k", top.toString()));
    try (OurServer server =
        OurServer.start(PollerKind.AUTO, top, "qcow2", folder.resolve("socket"))) {
      assertEquals(
          List.of("0 65536 2", "65536 65536 0", "131072 65536 1", "196608 851968 0"),
          extents(Programs.output("nbdinfo", "--map=qemu:allocation-depth", server.uri())));
      assertEquals(
          List.of("0 65536 0", "65536 65536 3", "131072 65536 0", "196608 851968 3"),
          extents(Programs.output("nbdinfo", "--map", server.uri())));
    }
  }

  private static List<String> extents(String map) {
    List<String> all = new ArrayList<>();
    for (String line : map.lines().toList()) {
      String[] words = line.strip().split("\\s+");
      all.add(words[0] + " " + words[1] + " " + words[2]);
    }
    return all;
  }

  @Test
  void fioVerifiesWhatItWrites() throws Exception {
    Programs.require("fio");
    Programs.Outcome help = Programs.run(List.of("fio", "--enghelp"));
    org.junit.jupiter.api.Assumptions.assumeTrue(
        help.output().contains("nbd"), "LEFT OUT: fio has no engine for NBD");
    Path disk = image("disk", 4);
    try (OurServer server =
        OurServer.start(PollerKind.AUTO, disk, "raw", folder.resolve("socket"))) {
      Programs.output(
          "fio",
          "--name=verify",
          "--ioengine=nbd",
          "--uri=" + server.uri(),
          "--rw=randwrite",
          "--bsrange=512-128k",
          "--iodepth=32",
          "--size=" + SIZE_BYTES,
          "--io_size=16M",
          "--verify=crc32c",
          "--verify_fatal=1",
          "--verify_state_save=0",
          "--randseed=1",
          "--minimal");
    }
  }

  // --------------------------------------------------------------------------------- our client

  private void useByOurTools(String uri, Path expected) throws Exception {
    Path copy = folder.resolve("copy-" + expected.getFileName());
    good(ToolRun.img("convert", "-f", "raw", "-O", "raw", uri, copy.toString()));
    same(expected, copy);
    good(
        ToolRun.io(
            "-f",
            "raw",
            "-c",
            "write -P 7 64k 3M",
            "-c",
            "read -P 7 64k 3M",
            "-c",
            "write -z 96k 32k",
            "-c",
            "read -P 0 96k 32k",
            "-c",
            "aio_write -P 3 1M 64k",
            "-c",
            "aio_write -P 3 2M 64k",
            "-c",
            "aio_flush",
            "-c",
            "read -P 3 2M 64k",
            "-c",
            "flush",
            "-c",
            "write -f -P 9 100 10",
            "-c",
            "read -P 9 100 10",
            uri));
    Path other = image("other-" + expected.getFileName(), 99);
    good(ToolRun.img("convert", "-n", "-f", "raw", "-O", "raw", other.toString(), uri));
    good(ToolRun.img("compare", "-f", "raw", "-F", "raw", other.toString(), uri));
  }

  @Test
  void ourToolsUseTheReferencesServer() throws Exception {
    Programs.require("qemu-nbd");
    Path disk = image("disk", 5);
    Path expected = image("expected", 5);
    Path socket = folder.resolve("socket");
    Path pid = folder.resolve("pid");
    try (AutoCloseable _ =
        Programs.background(
            pid,
            List.of(
                "qemu-nbd",
                "--fork",
                "-t",
                "-e",
                "8",
                "-f",
                "raw",
                "-x",
                "disk",
                "--pid-file",
                pid.toString(),
                "-k",
                socket.toString(),
                disk.toString()))) {
      useByOurTools("nbd+unix:///disk?socket=" + socket, expected);
      String uri = "nbd+unix:///disk?socket=" + socket;
      assertEquals(
          Programs.output("qemu-img", "map", "--output=json", uri),
          ToolRun.img("map", "--output=json", uri).out());
      assertEquals(
          Programs.output("qemu-nbd", "-L", "-k", socket.toString()),
          ToolRun.run(new NbdTool(), "qemu-nbd", "", "-L", "-k", socket.toString()).out());
      ToolRun missing = ToolRun.img("info", "nbd+unix:///none?socket=" + socket);
      assertTrue(missing.err().contains("server reported: export 'none' not present"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "memory",
        "memory --filter=blocksize-policy blocksize-minimum=512 blocksize-maximum=64K"
            + " blocksize-error-policy=error",
        "memory --filter=delay rdelay=1ms",
        "--no-sr memory",
        "memory --filter=nozero",
        "memory --filter=noextents",
        "memory --filter=nocache",
      })
  void ourToolsUseNbdkit(String plugin) throws Exception {
    Programs.require("nbdkit", "nbdinfo");
    Path expected = folder.resolve("expected");
    Files.write(expected, new byte[SIZE_BYTES]);
    Path socket = folder.resolve("socket");
    List<String> command = new ArrayList<>(List.of("nbdkit", "-f", "-U", socket.toString()));
    command.addAll(List.of(plugin.split(" ")));
    command.add("size=" + SIZE_BYTES);
    String uri = "nbd+unix:///?socket=" + socket;
    try (AutoCloseable _ = Programs.foreground(uri, command)) {
      useByOurTools(uri, expected);
    }
  }

  /** To write is left out: nbdkit refuses what it has announced in this style. */
  @Test
  void ourToolsReadInOldStyle() throws Exception {
    Programs.require("nbdkit", "nbdinfo");
    Path disk = image("disk", 6);
    Path copy = folder.resolve("copy");
    Path socket = folder.resolve("socket");
    String uri = "nbd+unix:///?socket=" + socket;
    try (AutoCloseable _ =
        Programs.foreground(
            uri,
            List.of(
                "nbdkit",
                "-f",
                "-r",
                "--oldstyle",
                "-U",
                socket.toString(),
                "file",
                disk.toString()))) {
      good(ToolRun.img("convert", "-f", "raw", "-O", "raw", uri, copy.toString()));
      same(disk, copy);
    }
  }

  @Test
  void errorsOfTheServerAreTold() throws Exception {
    Programs.require("nbdkit", "nbdinfo");
    Path socket = folder.resolve("socket");
    String uri = "nbd+unix:///?socket=" + socket;
    try (AutoCloseable _ =
        Programs.foreground(
            uri,
            List.of(
                "nbdkit",
                "-f",
                "-U",
                socket.toString(),
                "--filter=error",
                "memory",
                "size=1M",
                "error-pwrite=ENOSPC",
                "error-pwrite-rate=1"))) {
      ToolRun run = ToolRun.io("-f", "raw", "-c", "write 0 4k", uri);
      assertEquals(1, run.exitCode());
      assertTrue(
          (run.out() + run.err()).contains("write failed: No space left on device"),
          run.out() + run.err());
    }
  }

  // -------------------------------------------------------------------------------------- both

  @Test
  void randomImagesGoBothWays() throws Exception {
    Programs.require("nbdcopy", "qemu-img");
    for (int seed = 100; seed < 100 + RANDOM_IMAGES; seed++) {
      Path disk = image("disk", seed);
      Path other = image("other", seed + 1000L);
      Path copy = folder.resolve("copy");
      try (OurServer server =
          OurServer.start(PollerKind.AUTO, disk, "raw", folder.resolve("socket"))) {
        good(ToolRun.img("convert", "-f", "raw", "-O", "raw", server.uri(), copy.toString()));
        same(disk, copy);
        Files.delete(copy);
        Programs.output("qemu-img", "convert", "-O", "raw", server.uri(), copy.toString());
        same(disk, copy);
        Files.delete(copy);
        Programs.output("nbdcopy", server.uri(), copy.toString());
        same(disk, copy);
        Programs.output("nbdcopy", other.toString(), server.uri());
        String several =
            "driver=nbd,connections=4,server.type=unix,server.path=" + folder.resolve("socket");
        good(ToolRun.img("compare", "--image-opts", several, "driver=raw,file.filename=" + other));
      }
      same(other, disk);
      Files.delete(disk);
      Files.delete(other);
    }
  }
}
