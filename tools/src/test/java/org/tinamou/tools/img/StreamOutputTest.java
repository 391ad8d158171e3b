package org.tinamou.tools.img;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.tools.ToolRun;

/** Images that are written to standard output, where nobody can seek. */
class StreamOutputTest {
  @TempDir Path directory;

  private String name(String file) {
    return directory.resolve(file).toString();
  }

  private byte[] stream(String... arguments) {
    return through(new byte[0], arguments);
  }

  /** What comes out where something goes in. */
  private static byte[] through(byte[] input, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream errors = new PrintStream(err, false, StandardCharsets.UTF_8);
    int exitCode =
        new ImgTool()
            .run(
                "tinamou-img",
                arguments,
                new ByteArrayInputStream(input),
                new PrintStream(out, false, StandardCharsets.UTF_8),
                errors);
    assertEquals(0, exitCode, () -> err.toString(StandardCharsets.UTF_8));
    return out.toByteArray();
  }

  private byte[] makeSource() throws Exception {
    assertEquals(0, ToolRun.img("create", "-q", "-f", "qcow2", name("below"), "5M").exitCode());
    String[] fill = {"-f", "qcow2", "-c", "write -P 3 1M 1M", "-c", "write -P 4 5242368 512"};
    ToolRun.io(fill[0], fill[1], fill[2], fill[3], fill[4], fill[5], name("below"));
    String[] create = {"create", "-q", "-f", "qcow2", "-b", "below", "-F", "qcow2", name("source")};
    assertEquals(0, ToolRun.img(create).exitCode());
    ToolRun.io("-f", "qcow2", "-c", "write -P 9 100k 3k", "-c", "write -z 1M 64k", name("source"));
    assertEquals(0, ToolRun.img("convert", name("source"), name("raw")).exitCode());
    return Files.readAllBytes(directory.resolve("raw"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"512", "4k", "64k", "2M"})
  void qcow2IsAnImageOfTheSameData(String cluster) throws Exception {
    byte[] disk = makeSource();
    String options = "cluster_size=" + cluster;
    byte[] image = stream("convert", "-O", "qcow2", "-o", options, name("source"), "-");
    Files.write(directory.resolve("copy"), image);
    ToolRun check = ToolRun.img("check", name("copy"));
    assertEquals(0, check.exitCode(), check.out() + check.err());
    assertEquals(0, ToolRun.img("convert", name("copy"), name("again")).exitCode());
    assertArrayEquals(disk, Files.readAllBytes(directory.resolve("again")));
    assertArrayEquals(
        image, stream("convert", "-O", "qcow2", "-o", options, name("source"), "-"), "twice");
  }

  @Test
  void rawIsTheDisk() throws Exception {
    assertArrayEquals(makeSource(), stream("convert", name("source"), "-"));
  }

  /** What a reader finds that begins at the footer, as the format wants it. */
  private static byte[] readVmdk(byte[] image) throws Exception {
    ByteBuffer all = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    int footer = image.length - 1024;
    assertEquals(3, all.getInt(footer - 512 + 12), "the mark of the footer");
    assertEquals(0x564d444b, all.getInt(footer));
    assertArrayEquals(new byte[512], Arrays.copyOfRange(image, footer + 512, image.length));
    byte[] disk = new byte[Math.toIntExact(all.getLong(footer + 12) * 512)];
    int directory = Math.toIntExact(all.getLong(footer + 56) * 512);
    for (int grain = 0; grain * 65_536L < disk.length; grain++) {
      int table = all.getInt(directory + grain / 512 * 4) * 512;
      int place = table == 0 ? 0 : all.getInt(table + grain % 512 * 4) * 512;
      if (place == 0) {
        continue;
      }
      assertEquals(grain * 128L, all.getLong(place));
      try (Inflater inflater = new Inflater()) {
        inflater.setInput(image, place + 12, all.getInt(place + 8));
        byte[] bytes = new byte[65_536];
        assertEquals(bytes.length, inflater.inflate(bytes));
        int at = grain * 65_536;
        System.arraycopy(bytes, 0, disk, at, Math.min(bytes.length, disk.length - at));
      }
    }
    return disk;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "adapter_type=lsilogic,hwversion=10", "compression_level=1"})
  void vmdkIsAnImageOfTheSameData(String options) throws Exception {
    byte[] disk = makeSource();
    List<String> words = new ArrayList<>(List.of("convert", "-O", "vmdk-stream"));
    if (!options.isEmpty()) {
      words.addAll(List.of("-o", options));
    }
    words.addAll(List.of(name("source"), "-"));
    byte[] image = stream(words.toArray(String[]::new));
    assertArrayEquals(disk, readVmdk(image));
    String descriptor = new String(image, 512, 1024, StandardCharsets.US_ASCII);
    assertTrue(descriptor.contains("RW " + disk.length / 512 + " SPARSE"), descriptor);
    assertEquals(options.contains("lsilogic"), descriptor.contains("\"lsilogic\""), descriptor);
    Path file = Files.write(directory.resolve("copy"), image);
    if (Files.isExecutable(Path.of("/usr/bin/qemu-img"))) {
      String[] compare = {"qemu-img", "compare", "-F", "vmdk", name("source"), file.toString()};
      assertEquals(0, new ProcessBuilder(compare).start().waitFor());
    }
  }

  /** Data beyond the first table, and none below it. */
  @Test
  void vmdkLeavesOutTablesOfZeroes() throws Exception {
    assertEquals(0, ToolRun.img("create", "-q", "-f", "raw", name("raw"), "100M").exitCode());
    ToolRun.io("-f", "raw", "-c", "write -P 3 70M 1M", name("raw"));
    byte[] image = stream("convert", "-f", "raw", "-O", "vmdk-stream", name("raw"), "-");
    assertArrayEquals(Files.readAllBytes(directory.resolve("raw")), readVmdk(image));
    assertTrue(image.length < 100_000, image.length + " bytes");
  }

  /** Zeroes, what packs well, what does not, and an end within a cluster. */
  private byte[] mixedDisk() throws Exception {
    byte[] disk = new byte[5 * 1024 * 1024 + 1536];
    Random random = new Random(7);
    for (int at = 0; at < disk.length; at += 40_000) {
      int end = Math.min(disk.length, at + 40_000);
      switch (random.nextInt(3)) {
        case 0 -> Arrays.fill(disk, at, end, (byte) at);
        case 1 -> {
          byte[] noise = new byte[end - at];
          random.nextBytes(noise);
          System.arraycopy(noise, 0, disk, at, noise.length);
        }
        default -> {}
      }
    }
    Arrays.fill(disk, disk.length - 700, disk.length, (byte) 3);
    Files.write(directory.resolve("disk"), disk);
    return disk;
  }

  /** That an image is sound and holds a disk, for the reference as well where that is installed. */
  private void assertHolds(byte[] disk, byte[] image) throws Exception {
    Path file = Files.write(directory.resolve("image"), image);
    ToolRun check = ToolRun.img("check", file.toString());
    assertEquals(0, check.exitCode(), check.out() + check.err());
    Files.write(directory.resolve("wanted"), disk);
    String[] words = {"compare", "-f", "raw", "-F", "qcow2", name("wanted"), file.toString()};
    assertEquals("Images are identical.\n", ToolRun.img(words).out());
    if (Files.isExecutable(Path.of("/usr/bin/qemu-img"))) {
      String[] peer = {"qemu-img", "check", file.toString()};
      assertEquals(0, new ProcessBuilder(peer).start().waitFor());
      List<String> compare = new ArrayList<>(List.of("qemu-img"));
      compare.addAll(List.of(words));
      assertEquals(0, new ProcessBuilder(compare).start().waitFor());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=512",
        "cluster_size=4k,compression_type=zstd",
        "cluster_size=64k,compression_level=1",
        "cluster_size=64k,compression_type=zstd,compression_level=5",
        "cluster_size=2M,compression_type=zstd"
      })
  void packedQcow2IsAnImageOfTheSameData(String options) throws Exception {
    byte[] disk = mixedDisk();
    String[] words = {
      "convert", "-f", "raw", "-c", "-O", "qcow2", "-o", options, name("disk"), "-"
    };
    byte[] image = stream(words);
    assertHolds(disk, image);
    assertTrue(image.length < stream(without(words, "-c", options)).length, "packed is shorter");
    assertArrayEquals(image, stream(words), "twice");
  }

  /** The same without packing and with nothing chosen for it. */
  private static String[] without(String[] words, String flag, String options) {
    List<String> kept = new ArrayList<>(List.of(words));
    kept.remove(flag);
    kept.set(kept.indexOf(options), options.replaceFirst(",.*", ""));
    return kept.toArray(String[]::new);
  }

  @Test
  void whatOnlyRepeatsTakesManyPackedClustersInOne() throws Exception {
    byte[] disk = new byte[8 << 20];
    Arrays.fill(disk, (byte) 5);
    Files.write(directory.resolve("disk"), disk);
    byte[] image = stream("convert", "-f", "raw", "-c", "-O", "qcow2", name("disk"), "-");
    assertHolds(disk, image);
    assertTrue(image.length <= 7 << 16, image.length + " bytes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "compression_type=zstd", "cluster_size=4k"})
  void whatComesInIsPackedIntoAnImage(String options) throws Exception {
    byte[] disk = mixedDisk();
    List<String> words = new ArrayList<>(List.of("convert", "-f", "raw", "-c", "-O", "qcow2"));
    if (!options.isEmpty()) {
      words.addAll(List.of("-o", options));
    }
    words.addAll(List.of("-", name("target")));
    through(disk, words.toArray(String[]::new));
    byte[] image = Files.readAllBytes(directory.resolve("target"));
    assertHolds(disk, image);
    assertTrue(image.length < 3 << 20, image.length + " bytes");
    ToolRun raw = ToolRun.img("convert", "-f", "raw", "-c", "-", name("target"));
    assertEquals("tinamou-img: Compression not supported for this file format\n", raw.err());
  }

  @Test
  void oneStreamBecomesAnother() throws Exception {
    byte[] disk = mixedDisk();
    assertArrayEquals(disk, through(disk, "convert", "-f", "raw", "-O", "raw", "-", "-"));
    byte[] odd = Arrays.copyOf(disk, 1025);
    assertArrayEquals(Arrays.copyOf(odd, 1536), through(odd, "convert", "-f", "raw", "-", "-"));
    assertHolds(disk, through(disk, "convert", "-f", "raw", "-O", "qcow2", "-", "-"));
    byte[] packed = through(disk, "convert", "-f", "raw", "-c", "-O", "qcow2", "-", "-");
    assertHolds(disk, packed);
    byte[] vmdk = through(disk, "convert", "-f", "raw", "-O", "vmdk-stream", "-", "-");
    assertArrayEquals(disk, readVmdk(vmdk));
    assertHolds(new byte[0], through(new byte[0], "convert", "-f", "raw", "-O", "qcow2", "-", "-"));
  }

  @Test
  void anEmptyDiskIsAnImageToo() throws Exception {
    Files.write(directory.resolve("empty"), new byte[0]);
    String[] words = {"convert", "-f", "raw", "-O", "qcow2", name("empty"), "-"};
    Files.write(directory.resolve("copy"), stream(words));
    assertEquals(0, ToolRun.img("check", name("copy")).exitCode());
  }

  @Test
  void whatCannotBeStreamedIsRefused() throws Exception {
    makeSource();
    for (List<String> options :
        List.of(
            List.of("-c"),
            List.of("-O", "qcow2", "-o", "compression_type=zstd"),
            List.of("-c", "-O", "qcow2", "-o", "compression_type=lzma"),
            List.of("-c", "-O", "qcow2", "-o", "compression_level=10"),
            List.of("-c", "-O", "qcow2", "-o", "compression_level=0"),
            List.of("-p"),
            List.of("-O", "qcow2", "-o", "compat=0.10"),
            List.of("-o", "preallocation=full"),
            List.of("-O", "qcow2", "-o", "cluster_size=3k"),
            List.of("-O", "vmdk-stream", "-o", "adapter_type=none"),
            List.of("-O", "vmdk-stream", "-o", "compression_level=99"),
            List.of("-O", "vmdk"))) {
      String[] words = new String[options.size() + 3];
      words[0] = "convert";
      for (int i = 0; i < options.size(); i++) {
        words[i + 1] = options.get(i);
      }
      words[words.length - 2] = name("source");
      words[words.length - 1] = "-";
      ToolRun run = ToolRun.img(words);
      assertEquals(1, run.exitCode(), options.toString());
      assertTrue(!run.err().isEmpty(), options.toString());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void aRawDiskIsReadFromStandardInput(String format) throws Exception {
    byte[] disk = makeSource();
    for (int length : new int[] {0, 1, 700, disk.length}) {
      byte[] part = Arrays.copyOf(disk, length);
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      PrintStream errors = new PrintStream(err, false, StandardCharsets.UTF_8);
      String[] words = {"convert", "-f", "raw", "-O", format, "-", name("target")};
      Files.deleteIfExists(directory.resolve("target"));
      int exitCode =
          new ImgTool().run("tinamou-img", words, new ByteArrayInputStream(part), errors, errors);
      assertEquals(0, exitCode, () -> err.toString(StandardCharsets.UTF_8));
      String[] back = {"convert", "-f", format, "-O", "raw", name("target"), name("back")};
      assertEquals(0, ToolRun.img(back).exitCode());
      byte[] padded = Arrays.copyOf(part, part.length + 511 & -512);
      assertArrayEquals(padded, Files.readAllBytes(directory.resolve("back")));
    }
    assertEquals(1, ToolRun.img("convert", "-", name("target")).exitCode());
  }
}
