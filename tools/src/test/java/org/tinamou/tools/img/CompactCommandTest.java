package org.tinamou.tools.img;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.tools.ToolRun;

/** Images become smaller in place, and nothing of what they hold changes. */
class CompactCommandTest {
  private static final Pattern FREED = Pattern.compile("\\((\\d+) bytes\\)");
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  private String name(String file) {
    return directory.resolve(file).toString();
  }

  private static ToolRun ok(ToolRun run) {
    assertEquals(0, run.exitCode(), run.err());
    return run;
  }

  private byte[] raw(String... options) throws Exception {
    List<String> words = new ArrayList<>(List.of("convert", "-O", "raw"));
    words.addAll(List.of(options));
    words.addAll(List.of(name("image"), name("raw")));
    ok(ToolRun.img(words.toArray(String[]::new)));
    return Files.readAllBytes(directory.resolve("raw"));
  }

  private static long freed(ToolRun run) {
    Matcher matcher = FREED.matcher(run.out());
    assertTrue(matcher.find(), run.out());
    return Long.parseLong(matcher.group(1));
  }

  /** Data, packed data, holes and zeroes, in part kept by a snapshot. */
  private void fill(long seed, boolean snapshots) {
    Random random = new Random(seed);
    for (int round = 0; round < 3; round++) {
      List<String> words = new ArrayList<>(List.of("-f", "qcow2"));
      for (int i = 0; i < 40; i++) {
        String where = random.nextInt(60) * 64 + "k " + (1 + random.nextInt(4)) * 64 + "k";
        String what =
            switch (random.nextInt(6)) {
              case 0 -> "discard ";
              case 1 -> "write -z ";
              case 2 -> "write -P 0 ";
              case 3 -> "write -c -P " + (1 + random.nextInt(200)) + " ";
              default -> "write -P " + (1 + random.nextInt(200)) + " ";
            };
        words.addAll(List.of("-c", what + where));
      }
      words.add(name("image"));
      ToolRun.io(words.toArray(String[]::new)); // packed data replaces nothing
      if (snapshots && round < 2) {
        ok(ToolRun.img("snapshot", "-c", "s" + round, name("image")));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "compat=1.1",
        "compat=0.10",
        "extended_l2=on",
        "cluster_size=4k,refcount_bits=64",
        "cluster_size=512,refcount_bits=8",
        "cluster_size=256k,lazy_refcounts=on"
      })
  void nothingIsLost(String options) throws Exception {
    ok(ToolRun.img("create", "-q", "-f", "qcow2", "-o", options, name("image"), "4M"));
    fill(options.hashCode(), true);
    boolean bitmaps = !options.contains("0.10") && !options.contains("=512"); // no room
    if (bitmaps) {
      ok(ToolRun.img("bitmap", "--add", "-g", "64k", name("image"), "b"));
      ToolRun.io("-f", "qcow2", "-c", "write -P 9 1M 64k", name("image"));
    }
    ok(ToolRun.img("snapshot", "-d", "s0", name("image")));
    byte[] disk = raw();
    byte[] kept = raw("-l", "s1");
    byte[] file = Files.readAllBytes(directory.resolve("image"));
    ToolRun tried = ok(ToolRun.img("compact", "--dry-run", name("image")));
    assertArrayEquals(file, Files.readAllBytes(directory.resolve("image")));
    long before = Files.size(directory.resolve("image")) + 511 & -512;
    long freed = freed(ok(ToolRun.img("compact", name("image"))));
    assertEquals(before - freed, Files.size(directory.resolve("image")));
    assertTrue(freed <= freed(tried), () -> freed + " beside " + tried);
    assertArrayEquals(disk, raw());
    assertArrayEquals(kept, raw("-l", "s1"));
    ToolRun check = ToolRun.img("check", name("image"));
    assertEquals(0, check.exitCode(), check.out() + check.err());
    if (bitmaps) {
      assertTrue(ToolRun.img("info", name("image")).out().contains("name: b\n"));
    }
    assertEquals(0, freed(ok(ToolRun.img("compact", name("image")))));
    // It is an image like any other.
    ok(ToolRun.io("-f", "qcow2", "-c", "write -P 77 0 4M", "-c", "read -P 77 0 4M", name("image")));
    assertArrayEquals(kept, raw("-l", "s1"));
    assertEquals(0, ToolRun.img("check", name("image")).exitCode());
  }

  @Test
  void whatIsWrittenOnceAndForgottenTakesNoSpace() throws Exception {
    ok(ToolRun.img("create", "-q", "-f", "qcow2", name("image"), "16M"));
    ok(
        ToolRun.io(
            "-f",
            "qcow2",
            "-c",
            "write -P 1 0 12M",
            "-c",
            "write -P 0 0 8M",
            "-c",
            "discard 8M 3M",
            name("image")));
    ToolRun tried = ok(ToolRun.img("compact", "--dry-run", "--output=json", name("image")));
    assertTrue(tried.out().contains("\"zero-clusters\": 128"), tried.out());
    ok(ToolRun.img("compact", "-q", name("image")));
    assertTrue(Files.size(directory.resolve("image")) < 2 * MIB);
    ok(ToolRun.io("-f", "qcow2", "-c", "read -P 0 0 11M", "-c", "read -P 1 11M 1M", name("image")));
  }

  /** What is left of a packed disk goes to the front, without being packed anew. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=64k",
        "cluster_size=4k,refcount_bits=1",
        "extended_l2=on",
        "cluster_size=512"
      })
  void packedDataMovesToTheFront(String options) throws Exception {
    byte[] disk = new byte[8 * MIB];
    Random random = new Random(options.length());
    for (int i = 0; i < disk.length; i++) {
      disk[i] = (byte) (random.nextInt(4) * 16); // to be packed to a third or so
    }
    Files.write(directory.resolve("plain"), disk);
    String[] convert = {"convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, "x", "y"};
    convert[8] = name("plain");
    convert[9] = name("image");
    ok(ToolRun.img(convert));
    ok(ToolRun.io("-d", "unmap", "-f", "qcow2", "-c", "discard 0 6M", name("image")));
    byte[] left = raw();
    long before = Files.size(directory.resolve("image"));
    ToolRun tried = ok(ToolRun.img("compact", "--dry-run", name("image")));
    long freed = freed(ok(ToolRun.img("compact", name("image"))));
    assertTrue(freed > before / 2, freed + " of " + before);
    assertTrue(freed <= freed(tried), () -> freed + " beside " + tried);
    assertArrayEquals(left, raw());
    ok(ToolRun.img("check", name("image")));
    assertEquals(0, freed(ok(ToolRun.img("compact", name("image")))));
  }

  @Test
  void zeroesOfAnOverlayHideWhatIsBelow() throws Exception {
    ok(ToolRun.img("create", "-q", "-f", "qcow2", name("below"), "1M"));
    ok(ToolRun.io("-f", "qcow2", "-c", "write -P 5 0 1M", name("below")));
    for (String compat : List.of("0.10", "1.1")) {
      Files.deleteIfExists(directory.resolve("image"));
      ok(
          ToolRun.img(
              "create",
              "-q",
              "-f",
              "qcow2",
              "-o",
              "compat=" + compat,
              "-b",
              "below",
              "-F",
              "qcow2",
              name("image")));
      ok(ToolRun.io("-f", "qcow2", "-c", "write -P 0 0 512k", name("image")));
      byte[] disk = raw();
      ok(ToolRun.img("compact", name("image")));
      assertArrayEquals(disk, raw());
    }
  }

  /** Where a cluster is decides how LUKS encrypts it. */
  @ParameterizedTest
  @ValueSource(strings = {"luks", "aes"})
  void encryptedDataIsReadAfterwards(String method) throws Exception {
    String secret = "secret,id=s0,data=abc";
    String more = method.equals("luks") ? ",encrypt.iter-time=10" : "";
    String options = "cluster_size=16k,encrypt.key-secret=s0,encrypt.format=" + method + more;
    String[] create = {"create", "-q", "-f", "qcow2", "--object", secret, "-o", options, "x", "8M"};
    create[8] = name("image");
    ok(ToolRun.img(create));
    String image = "driver=qcow2,encrypt.key-secret=s0,file.filename=" + name("image");
    List<String> words =
        new ArrayList<>(List.of("--object", secret, "--image-opts", "-d", "unmap"));
    for (String command :
        List.of(
            "write -P 1 0 6M",
            "write -P 2 5M 100k",
            "discard 0 4M",
            "write -P 3 1000 3000",
            "write -P 0 6M 1M")) {
      words.addAll(List.of("-c", command));
    }
    words.add(image);
    ok(ToolRun.io(words.toArray(String[]::new)));
    ok(ToolRun.img("snapshot", "--object", secret, "--image-opts", "-c", "s", image));
    String[] again = {"--object", secret, "--image-opts", "-c", "write -P 4 5500k 9k", image};
    ok(ToolRun.io(again));
    byte[] disk = plain(secret, image, "before");
    byte[] kept = plain(secret, image, "before", "-l", "s");
    long before = Files.size(directory.resolve("image"));
    String[] tryIt = {"compact", "--dry-run", "--object", secret, "--image-opts", image};
    ToolRun tried = ok(ToolRun.img(tryIt));
    assertTrue(tried.out().contains(", 64 of zeroes"), tried.out());
    ToolRun closed = ToolRun.img("compact", name("image"));
    assertTrue(closed.err().contains("encrypt.key-secret"), closed.err());
    long freed = freed(ok(ToolRun.img("compact", "--object", secret, "--image-opts", image)));
    assertTrue(freed > 7 * MIB / 2, freed + " bytes of " + before);
    assertTrue(freed <= freed(tried), () -> freed + " beside " + tried);
    assertArrayEquals(disk, plain(secret, image, "after"));
    assertArrayEquals(kept, plain(secret, image, "after", "-l", "s"));
    ok(ToolRun.img("check", "--object", secret, "--image-opts", image));
  }

  private byte[] plain(String secret, String image, String target, String... more)
      throws Exception {
    List<String> words = new ArrayList<>(List.of("convert", "-O", "raw", "--object", secret));
    words.addAll(List.of(more));
    words.addAll(List.of("--image-opts", image, name(target)));
    ok(ToolRun.img(words.toArray(String[]::new)));
    return Files.readAllBytes(directory.resolve(target));
  }

  @Test
  void whatCannotBeCompactedIsRefused() throws Exception {
    Files.write(directory.resolve("image"), new byte[MIB]);
    ToolRun plain = ToolRun.img("compact", "-f", "raw", name("image"));
    assertTrue(plain.err().contains("'raw' does not support compacting"), plain.err());
    ok(ToolRun.img("create", "-q", "-f", "qcow2", name("image"), "1M"));
    ok(ToolRun.io("-f", "qcow2", "-c", "write 0 1M", name("image")));
    byte[] file = Files.readAllBytes(directory.resolve("image"));
    file[(2 << 16) + 1] = 0; // the header's count
    Files.write(directory.resolve("image"), file);
    ToolRun damaged = ToolRun.img("compact", name("image"));
    assertEquals(1, damaged.exitCode());
    assertTrue(damaged.err().contains("damaged and cannot be compacted"), damaged.err());
    assertArrayEquals(file, Files.readAllBytes(directory.resolve("image")));
  }
}
