package org.tinamou.tools.hostile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;

/**
 * Images that were made to do harm, by the rows of the catalogue of known vulnerabilities: each is
 * answered with the expected class and text, leaves the image as it was, reads not much more than
 * the file holds, and takes a bounded amount of memory on the way.
 *
 * <p>Rows 6 to 9, 13, 20, 21 and 22 are about formats that do not exist here (vhdx, bochs, cloop,
 * vdi, vpc, parallels, dmg, qcow version 1, vmdk), row 14 is about luks and tested with it. Of row
 * 24 nothing can be shown from outside: temporary files have random names and are made exclusively.
 */
class HostileImagesTest {
  private static final long READ_SLACK_BYTES = 8 << 20;
  private static final int LONGEST_CHAIN = 200;

  @TempDir Path directory;

  /** What a command has to answer. */
  private record Expected(int exitCode, String text) {}

  private record Case(
      String row,
      String what,
      String image,
      Expected expected,
      long mebibytes,
      boolean changes,
      String[] command) {}

  private final List<Case> cases = new ArrayList<>();

  private Path path(String name) {
    return directory.resolve(name);
  }

  private String name(String name) {
    return path(name).toString();
  }

  /** An image is answered with an error; the image's name is put for each {@code IMAGE}. */
  private void refused(String row, String what, String image, String text, String... command) {
    cases.add(new Case(row, what, image, new Expected(1, text), 192, false, command));
  }

  private void answered(
      String row, String what, String image, int exitCode, String text, String... command) {
    cases.add(new Case(row, what, image, new Expected(exitCode, text), 192, false, command));
  }

  /** The same where the image may be changed. */
  private void changed(
      String row, String what, String image, int exitCode, String text, String... command) {
    cases.add(new Case(row, what, image, new Expected(exitCode, text), 192, true, command));
  }

  @TestFactory
  Stream<DynamicTest> rows() throws IOException {
    headers();
    snapshots();
    counts();
    bombs();
    chains();
    guesses();
    dataFiles();
    backingNames();
    return cases.stream()
        .map(each -> DynamicTest.dynamicTest(each.row() + " " + each.what(), () -> run(each)));
  }

  private void run(Case each) throws IOException {
    String image = name(each.image());
    byte[] before = Files.readAllBytes(path(each.image()));
    boolean io = each.command()[0].equals("io");
    List<String> words = new ArrayList<>();
    for (String word :
        io ? List.of(each.command()).subList(1, each.command().length) : List.of(each.command())) {
      words.add(word.replace("IMAGE", image));
    }
    String[] arguments = words.toArray(String[]::new);
    Files.writeString(Path.of("/proc/self/clear_refs"), "5"); // forgets the peak
    long memoryBefore = number("/proc/self/status", "VmRSS:");
    long readBefore = number("/proc/self/io", "rchar:");
    ToolRun run = io ? ToolRun.io(arguments) : ToolRun.img(arguments);
    long read = number("/proc/self/io", "rchar:") - readBefore;
    long mebibytes = number("/proc/self/status", "VmHWM:") - memoryBefore >> 10;
    String said = run.out() + run.err();
    assertTrue(said.contains(each.expected().text()), () -> words + " said " + said);
    assertEquals(each.expected().exitCode(), run.exitCode(), said);
    int images = each.row().equals("16") ? LONGEST_CHAIN : 1;
    assertTrue(
        read <= 4L * images * before.length + READ_SLACK_BYTES, () -> "it read " + read + " bytes");
    assertTrue(mebibytes <= each.mebibytes(), () -> "it took " + mebibytes + " MiB");
    assertTrue(said.length() < 4 << 20, () -> "it said " + said.length() + " characters");
    if (!each.changes()) {
      assertArrayEquals(before, Files.readAllBytes(path(each.image())), "the image was changed");
    }
  }

  /** A number that the kernel tells of the process. */
  private static long number(String file, String label) throws IOException {
    for (String line : Files.readAllLines(Path.of(file))) {
      if (line.startsWith(label)) {
        return Long.parseLong(line.substring(label.length()).replace("kB", "").strip());
      }
    }
    throw new IllegalStateException("no " + label);
  }

  private HostileImage sound(String name) {
    return HostileImage.sound(path(name));
  }

  private void headers() throws IOException {
    sound("header").with(HostileImage.HEADER_LENGTH, Integer.MAX_VALUE);
    refused("1", "header length", "header", "qcow2 header exceeds cluster size", "info", "IMAGE");
    sound("backing").with(HostileImage.BACKING_OFFSET, Long.MAX_VALUE);
    refused("1", "backing offset", "backing", "Invalid backing file offset", "info", "IMAGE");
    sound("l1").with(HostileImage.L1_SIZE, Integer.MAX_VALUE);
    refused("1", "L1 size", "l1", "Active L1 table too large", "info", "IMAGE");
    sound("reftable").with(HostileImage.REFCOUNT_TABLE_CLUSTERS, Integer.MAX_VALUE);
    refused("1", "count table", "reftable", "Reference count table too large", "info", "IMAGE");
    sound("snapshots").with(HostileImage.SNAPSHOTS, 65_537);
    refused("1", "snapshots", "snapshots", "Snapshot table too large", "info", "IMAGE");
    sound("size").with(HostileImage.SIZE, Long.MAX_VALUE);
    refused("2", "size", "size", "Image is too big", "map", "IMAGE");
    sound("request");
    answered(
        "2", "request", "request", 0, "", "io", "-f", "qcow2", "-r", "-c", "read 0 1M", "IMAGE");
    refused(
        "2",
        "request beyond 2 GiB",
        "request",
        "",
        "io",
        "-f",
        "qcow2",
        "-c",
        "read 0 2147483136",
        "IMAGE");
  }

  private void snapshots() throws IOException {
    HostileImage huge = sound("huge-snapshot").written().withSnapshot("one");
    long table = huge.longAt(HostileImage.SNAPSHOTS_OFFSET);
    huge.with(table + 8, 0x1000_0000);
    refused(
        "2",
        "L1 size of a snapshot",
        "huge-snapshot",
        "Snapshot L1 table too large",
        "snapshot",
        "-a",
        "one",
        "IMAGE");
    HostileImage larger = sound("larger-snapshot").written().withSnapshot("one");
    larger.with(larger.longAt(HostileImage.SNAPSHOTS_OFFSET) + 8, 1 << 20);
    answered(
        "3",
        "snapshot's L1 larger than the disk's",
        "larger-snapshot",
        2,
        "ERROR",
        "check",
        "IMAGE");
    HostileImage broken = sound("broken-snapshots").written().withSnapshot("one");
    broken.with(broken.longAt(HostileImage.SNAPSHOTS_OFFSET) + 36, 0x7fff_ffff);
    refused(
        "4",
        "broken table",
        "broken-snapshots",
        "Too much extra metadata in snapshot table",
        "snapshot",
        "-l",
        "IMAGE");
    refused(
        "4",
        "broken table, to be checked",
        "broken-snapshots",
        "failed to read the snapshot table",
        "check",
        "IMAGE");
  }

  private void counts() throws IOException {
    String write = "write 128k 64k";
    String pack = "write -c 128k 64k";
    long table = HostileImage.CLUSTER;
    sound("crafted").written().with(table, 0x1234L);
    changed(
        "5",
        "count block unaligned",
        "crafted",
        1,
        "write failed: Input/output error",
        "io",
        "-f",
        "qcow2",
        "-c",
        write,
        "IMAGE");
    answered("5", "marked", "crafted", 0, "corrupt: true", "info", "IMAGE");
    sound("no-table").with(HostileImage.REFCOUNT_TABLE_CLUSTERS, 0);
    refused(
        "10",
        "no count table",
        "no-table",
        "Image does not contain a reference count table",
        "io",
        "-f",
        "qcow2",
        "-c",
        write,
        "IMAGE");
    for (String how : List.of(write, pack)) {
      String image = how.contains("-c") ? "zeroed-packed" : "zeroed";
      sound(image).with(table, 0L);
      changed(
          "10",
          "zeroed count table, " + how,
          image,
          1,
          "write failed: Input/output error",
          "io",
          "-f",
          "qcow2",
          "-c",
          how,
          "IMAGE");
      answered("10", "marked, " + how, image, 0, "corrupt: true", "info", "IMAGE");
    }
    HostileImage far = sound("far").written();
    long l2 = far.longAt(far.longAt(HostileImage.L1_OFFSET)) & 0x00ff_ffff_ffff_fe00L;
    far.with(l2, HostileImage.COPIED | 1L << 55);
    answered("11", "cluster at 2^55", "far", 2, "ERROR", "check", "IMAGE");
  }

  private void bombs() throws IOException {
    HostileImage.bomb(path("bomb"));
    String shared = "Input/output error";
    bomb(0, "file format: qcow2", "info", "IMAGE");
    bomb(2, "ERROR", "check", "IMAGE");
    bomb(1, shared, "map", "IMAGE");
    bomb(1, shared, "map", "--output=json", "IMAGE");
    bomb(1, shared, "measure", "-O", "qcow2", "IMAGE");
    bomb(1, shared, "convert", "-O", "qcow2", "IMAGE", name("from-bomb"));
  }

  private void bomb(int exitCode, String text, String... command) {
    cases.add(
        new Case("12", command[0], "bomb", new Expected(exitCode, text), 512, false, command));
  }

  private void chains() throws IOException {
    HostileImage.naming(path("self"), "self", "qcow2");
    HostileImage.naming(path("dotted"), "./././dotted", "qcow2");
    HostileImage.naming(path("linked"), "link", "qcow2");
    Files.createSymbolicLink(path("link"), path("linked"));
    HostileImage.naming(path("hard"), "hard-too", "qcow2");
    Files.createLink(path("hard-too"), path("hard"));
    HostileImage.naming(path("ping"), "pong", "qcow2");
    HostileImage.naming(path("pong"), "../" + directory.getFileName() + "/ping", "qcow2");
    String loop = "creates an infinite loop.";
    for (String image : List.of("self", "dotted", "linked", "hard", "ping")) {
      refused("15", image + ", map", image, loop, "map", "IMAGE");
      refused("15", image + ", info", image, loop, "info", "--backing-chain", "IMAGE");
      refused(
          "15",
          image + ", read",
          image,
          loop,
          "io",
          "-r",
          "-f",
          "qcow2",
          "-c",
          "read 0 512",
          "IMAGE");
    }
    sound("chain0");
    for (int i = 1; i <= 1000; i++) {
      HostileImage.naming(path("chain" + i), "chain" + (i - 1), "qcow2");
    }
    refused("16", "1000 overlays", "chain1000", "longer than 200 images", "map", "IMAGE");
    Expected mapped = new Expected(0, "Mapped to");
    String[] map = {"map", "IMAGE"};
    cases.add(new Case("16", "200 images", "chain199", mapped, 512, false, map));
  }

  private void guesses() throws IOException {
    Files.write(path("raw"), new byte[1 << 20]);
    Files.write(
        path("header-bytes"),
        Files.readAllBytes(HostileImage.naming(path("escape"), "/etc/hostname", "raw").pathOf()));
    String write = "write -s " + name("header-bytes") + " 0 512";
    refused("17", "guessed raw", "raw", "Operation not permitted", "io", "-c", write, "IMAGE");
    changed(
        "17",
        "raw that was said to be raw",
        "raw",
        0,
        "wrote 512/512",
        "io",
        "-f",
        "raw",
        "-c",
        write,
        "IMAGE");
    refused(
        "19",
        "not trusted",
        "escape",
        "The format of an image that is not trusted has to be given",
        "resize",
        "--untrusted",
        "IMAGE",
        "2M");
    changed("19", "raw", "escape", 0, "Image resized.", "resize", "-f", "raw", "IMAGE", "2M");
  }

  private void dataFiles() throws IOException {
    String place = name("data");
    List<String> texts = List.of("json:{\"driver\":\"null-co\"}", "nbd://[::1]:1/x", "fat:/etc");
    for (int i = 0; i < texts.size(); i++) {
      String image = "named" + i;
      HostileImage.withDataFile(path(image), path("data")).renameDataFile(place, texts.get(i));
      answered("18", texts.get(i) + ", info", image, 0, "data file", "info", "IMAGE");
      refused(
          "18", texts.get(i) + ", map", image, "Could not open '" + texts.get(i), "map", "IMAGE");
    }
    HostileImage.withDataFile(path("outside"), path("data")).renameDataFile(place, "/etc/hostname");
    answered("18", "outside, info", "outside", 0, "/etc/hostname", "info", "--untrusted", "IMAGE");
    refused(
        "18",
        "outside, strict",
        "outside",
        "nothing that an image names is opened",
        "map",
        "--untrusted",
        "-f",
        "qcow2",
        "IMAGE");
    refused(
        "18",
        "outside the directory",
        "outside",
        "only regular files beside the image are opened",
        "map",
        "--backing-policy=same-directory",
        "IMAGE");
    HostileImage.withDataFile(path("itself"), path("data")).renameDataFile(place, name("itself"));
    refused(
        "18", "itself", "itself", "The data file of the image is the image itself", "map", "IMAGE");
  }

  private void backingNames() throws IOException {
    Files.createDirectory(path("folder"));
    makePipe(path("pipe"));
    List<String> escapes =
        List.of(
            "nbd://127.0.0.1:1/x",
            "http://127.0.0.1:1/x",
            "json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"/etc/hostname\"}}",
            "fat:/etc",
            "fat:rw:/etc",
            "/dev/stdin",
            "/proc/self/fd/0",
            "blkdebug::/etc/hostname",
            "/etc/hostname",
            "../" + directory.getFileName() + "/../../etc/hostname",
            "pipe",
            "folder");
    for (int i = 0; i < escapes.size(); i++) {
      String image = "escape" + i;
      HostileImage.naming(path(image), escapes.get(i), "raw");
      String[] read = {"io", "-r", "-f", "qcow2", "-c", "read 0 512", "IMAGE"};
      answered("23", escapes.get(i) + ", info", image, 0, "backing file: ", "info", "IMAGE");
      refused(
          "23",
          escapes.get(i) + ", none",
          image,
          "nothing that an image names is opened",
          with(read, "--untrusted"));
      refused(
          "23",
          escapes.get(i) + ", beside",
          image,
          i == 9 ? "Could not open" : "beside the image are opened",
          with(read, "--backing-policy=same-directory"));
    }
    HostileImage.naming(path("percent"), "%s%n", "raw");
    refused("23", "%s%n", "percent", "/%s%n': No such file", "map", "IMAGE");
    HostileImage.naming(path("long"), "x".repeat(1023), "raw");
    refused("23", "1023 characters", "long", "File name too long", "map", "IMAGE");
    HostileImage zero = HostileImage.naming(path("zero"), "aaaa", "raw");
    zero.put(zero.longAt(HostileImage.BACKING_OFFSET) + 2, java.nio.ByteBuffer.allocate(1));
    refused("23", "zero byte", "zero", "Could not open", "map", "IMAGE");
    for (String image : List.of("escape10", "escape11")) {
      refused("23", image + " by default", image, "to be a regular file", "map", "IMAGE");
    }
  }

  private static String[] with(String[] command, String option) {
    List<String> words = new ArrayList<>(List.of(command));
    words.add(1, option);
    return words.toArray(String[]::new);
  }

  private static void makePipe(Path path) throws IOException {
    try {
      new ProcessBuilder("mkfifo", path.toString()).inheritIO().start().waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
