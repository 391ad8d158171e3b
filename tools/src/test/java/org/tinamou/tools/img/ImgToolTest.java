package org.tinamou.tools.img;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.tools.ToolRun;

/** What holds without a reference to compare with. */
class ImgToolTest {
  @TempDir Path directory;

  private String name(String file) {
    return directory.resolve(file).toString();
  }

  @Test
  void speaksUnderTheNameItWasCalledBy() {
    ToolRun run = ToolRun.run(new ImgTool(), "other-name", "", "--nope");
    assertEquals(1, run.exitCode());
    assertEquals(
        "other-name: unrecognized option '--nope'\n"
            + "Try 'other-name --help' for more information\n",
        run.err());
    assertTrue(ToolRun.img("--version").out().startsWith("tinamou-img version 7.2.22 (Tinamou "));
    assertTrue(ToolRun.img("--help").out().contains("\nusage: tinamou-img "));
  }

  @ParameterizedTest
  @CsvSource({
    "qcow, 0, 'QFI\u00fb\0\0\0\1'",
    "qed, 0, 'QED\0'",
    "vmdk, 0, 'KDMV'",
    "vmdk, 0, 'COWD'",
    "vmdk, 0, '# Disk DescriptorFile'",
    "vdi, 64, '\u007f\u0010\u00da\u00be'",
    "vhdx, 0, vhdxfile",
    "vpc, 0, conectix",
    "parallels, 0, WithoutFreeSpace"
  })
  void imagesOfOtherFormatsAreNotTakenForRaw(String format, int offset, String magic)
      throws IOException {
    byte[] bytes = new byte[4096];
    byte[] head = magic.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(head, 0, bytes, offset, head.length);
    Files.write(directory.resolve("x"), bytes);
    String reason =
        "Could not open '"
            + name("x")
            + "': Format '"
            + format
            + "' is not supported by this version of Tinamou\n";
    assertEquals("tinamou-img: " + reason, ToolRun.img("info", name("x")).err());
    assertEquals("tinamou-img: " + reason, ToolRun.img("map", name("x")).err());
    assertEquals("tinamou-img: " + reason, ToolRun.img("convert", name("x"), name("y")).err());
    assertEquals(2, ToolRun.img("compare", name("x"), name("x")).exitCode());
    assertEquals(1, ToolRun.io(name("x")).exitCode());
    assertEquals(0, ToolRun.img("info", "-f", "raw", name("x")).exitCode());
  }

  /** The reference's images end with whole clusters, and those of empty disks before any table. */
  @Test
  void imagesEndWhereTheirClustersDo() throws Exception {
    String image = name("image");
    ToolRun.img("create", "-q", "-f", "qcow2", image, "0");
    assertEquals(3 << 16, Files.size(Path.of(image)));
    ToolRun.img("resize", "-q", image, "1M");
    ToolRun.io("-f", "qcow2", "-c", "write -P 1 64k 512", image);
    assertEquals(6 << 16, Files.size(Path.of(image)));
    assertEquals(0, ToolRun.img("check", image).exitCode());
  }

  @Test
  void aSnapshotWithAnImpossibleTableStopsAnAmend() throws Exception {
    String image = name("image");
    for (int change = 0; change < 2; change++) {
      ToolRun.img("create", "-q", "-f", "qcow2", image, "1M");
      ToolRun.img("snapshot", "-c", "kept", image);
      try (RandomAccessFile file = new RandomAccessFile(image, "rw")) {
        file.seek(64);
        long snapshots = file.readLong();
        file.seek(snapshots + (change == 0 ? Integer.BYTES : Long.BYTES));
        file.writeInt(change == 0 ? 0x00112200 : 0x10000000);
      }
      ToolRun run = ToolRun.img("amend", "-o", "compat=0.10", image);
      assertEquals(1, run.exitCode());
      assertEquals(
          "tinamou-img: Failed to turn zero into data clusters: "
              + (change == 0 ? "Invalid argument" : "File too large")
              + "\n",
          run.err());
    }
  }

  @Test
  void aFilterOpensWhatAFileNameOfItsOwnSays() {
    String image = name("image");
    ToolRun.img("create", "-q", "-f", "qcow2", image, "1M");
    for (String file :
        List.of(
            "driver=preallocate,file.filename=",
            "file.driver=preallocate,driver=qcow2,file.file.node-name=n,file.file.filename=")) {
      ToolRun run = ToolRun.img("info", "--image-opts", file + image);
      assertEquals(0, run.exitCode(), run.err());
    }
  }

  @Test
  void formatsToComeAreNamed() {
    assertEquals(
        "tinamou-img: x: Format 'qed' is not supported by this version of Tinamou\n",
        ToolRun.img("create", "-f", "qed", "x", "1M").err());
    assertEquals(
        "tinamou-img: Could not open 'ssh:x': Protocol 'ssh' is not supported by this version of"
            + " Tinamou\n",
        ToolRun.img("info", "ssh:x").err());
    assertEquals(
        "tinamou-img: Objects of type 'pr-manager-helper' are not supported by this version of"
            + " Tinamou\n",
        ToolRun.img("info", "--object", "pr-manager-helper,id=x,path=z", "y").err());
  }

  /** The reference says the same; other commands of it never end on such images. */
  @Test
  void aChainThatLeadsBackIsDescribedUpToWhereItDoes() {
    ToolRun.img(
        "create", "-q", "-u", "-f", "qcow2", "-b", name("b"), "-F", "qcow2", name("a"), "1M");
    ToolRun.img(
        "create", "-q", "-u", "-f", "qcow2", "-b", name("a"), "-F", "qcow2", name("b"), "1M");
    ToolRun run = ToolRun.img("info", "--backing-chain", name("a"));
    assertEquals(1, run.exitCode());
    assertEquals(
        "tinamou-img: Backing file '" + name("a") + "' creates an infinite loop.\n", run.err());
  }

  @ParameterizedTest
  @CsvSource({"io_uring, 8", "threads, 8", "threads, 1", "io_uring, 16"})
  void convertsWithEachEngine(String engine, String workers) throws IOException {
    byte[] content = new byte[9_000_192];
    Random random = new Random(5);
    for (int at = 0; at < content.length; at += 1 + random.nextInt(200_000)) {
      byte[] piece = new byte[Math.min(random.nextInt(90_000), content.length - at)];
      random.nextBytes(piece);
      System.arraycopy(piece, 0, content, at, piece.length);
    }
    Files.write(directory.resolve("x"), content);
    System.setProperty("tinamou.aio", engine);
    try {
      for (String order : new String[] {"-W", "-p", "-C"}) {
        ToolRun run = ToolRun.img("convert", order, "-q", "-m", workers, name("x"), name("y"));
        assertEquals("", run.err());
        byte[] expected = Arrays.copyOf(content, (content.length + 511) & -512);
        assertArrayEquals(expected, Files.readAllBytes(directory.resolve("y")));
      }
      assertEquals(0, ToolRun.img("compare", name("x"), name("y")).exitCode());
    } finally {
      System.clearProperty("tinamou.aio");
    }
  }

  @Test
  void moreEffortPacksTighter() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int line = 0; text.length() < 1 << 20; line++) {
      text.append("line ").append(line).append(" of a text, ").append(line * 7 / 3).append('\n');
    }
    Files.writeString(directory.resolve("x"), text.substring(0, 1 << 20));
    long[] bytes = new long[2];
    for (int i = 0; i < bytes.length; i++) {
      String options = "compression_level=" + (i == 0 ? 1 : 9);
      ToolRun run =
          ToolRun.img(
              "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, name("x"), name("y"));
      assertEquals("", run.err());
      bytes[i] = Files.size(directory.resolve("y"));
      assertEquals(0, ToolRun.img("compare", "-f", "raw", name("x"), name("y")).exitCode());
    }
    assertTrue(bytes[1] < bytes[0], bytes[1] + " bytes, less than " + bytes[0]);
  }
}
