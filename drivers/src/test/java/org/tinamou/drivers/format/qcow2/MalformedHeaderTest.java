package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.block.NodeOptions;
import org.tinamou.drivers.protocol.file.OnLoop;

/** Every field of the header with values at and beyond its limits, as the reference takes them. */
class MalformedHeaderTest {
  /** Field, offset, width in bytes, value; what opening says: for writing, for reading. */
  private static final String CASES =
      """
          version 4 4 0x0 | Unsupported qcow2 version 0
          version 4 4 0x1 | Unsupported qcow2 version 1
          version 4 4 0x2 | opens
          version 4 4 0x3 | opens
          version 4 4 0x4 | Unsupported qcow2 version 4
          boff 8 8 0x0 | opens
          boff 8 8 0x1 | opens
          boff 8 8 0x2 | opens
          boff 8 8 0x4 | opens
          boff 8 8 0x10001 | Invalid backing file offset
          boff 8 8 0x10200 | Invalid backing file offset
          boff 8 8 0x10000000000 | Invalid backing file offset
          bsize 16 4 0x0 | opens
          bsize 16 4 0x1 | opens
          bsize 16 4 0x2 | opens
          bsize 16 4 0x3 | opens
          cbits 20 4 0x0 | Unsupported cluster size: 2^0
          cbits 20 4 0x1 | Unsupported cluster size: 2^1
          cbits 20 4 0x2 | Unsupported cluster size: 2^2
          cbits 20 4 0x9 | L1 table is too small
          cbits 20 4 0x15 | Reference count table offset invalid
          size 24 8 0x0 | opens
          size 24 8 0x1 | opens
          size 24 8 0x2 | opens
          size 24 8 0x4 | opens
          size 24 8 0x10000000000 | L1 table is too small
          size 24 8 0x100000000000000 | L1 table is too small
          size 24 8 0x4000000000000000 | Image is too big
          size 24 8 0x7ffffffffffffe00 | Image is too big
          size 24 8 0x7fffffffffff0000 | Image is too big
          size 24 8 0xffffffffffffffff | Could not refresh total sector count: File too large
          crypt 32 4 0x0 | opens
          crypt 32 4 0x2 | Missing CRYPTO header for crypt method 2
          crypt 32 4 0x3 | Unsupported encryption method 3
          crypt 32 4 0x4 | Unsupported encryption method 4
          crypt 32 4 0x7 | Unsupported encryption method 7
          l1size 36 4 0x0 | L1 table is too small
          l1size 36 4 0x1 | opens
          l1size 36 4 0x2 | opens
          l1size 36 4 0x3 | opens
          l1size 36 4 0x4 | opens
          l1size 36 4 0x7fffffff | Active L1 table too large
          l1size 36 4 0x80000000 | Active L1 table too large
          l1size 36 4 0xffffffff | Active L1 table too large
          l1off 40 8 0x0 | opens
          l1off 40 8 0x1 | Active L1 table offset invalid
          l1off 40 8 0x2 | Active L1 table offset invalid
          l1off 40 8 0x4 | Active L1 table offset invalid
          l1off 40 8 0x10000 | opens
          l1off 40 8 0x10000000000 | opens
          l1off 40 8 0x100000000000000 | opens
          l1off 40 8 0x7fffffffffff0000 | Could not read L1 table: Input/output error
          rtoff 48 8 0x0 | opens
          rtoff 48 8 0x1 | Reference count table offset invalid
          rtoff 48 8 0x2 | Reference count table offset invalid
          rtoff 48 8 0x4 | Reference count table offset invalid
          rtoff 48 8 0x10000 | opens
          rtoff 48 8 0x10000000000 | opens
          rtoff 48 8 0x100000000000000 | opens
          rtcl 56 4 0x0 | Image does not contain a reference count table
          rtcl 56 4 0x1 | opens
          rtcl 56 4 0x2 | opens
          rtcl 56 4 0x3 | opens
          rtcl 56 4 0x4 | opens
          rtcl 56 4 0x3ff | Reference count table too large
          rtcl 56 4 0x400 | Reference count table too large
          rtcl 56 4 0x10000 | Reference count table too large
          nsnap 60 4 0x0 | opens
          nsnap 60 4 0x1 | opens
          nsnap 60 4 0x2 | opens
          nsnap 60 4 0x3 | opens
          nsnap 60 4 0x4 | Too much extra metadata in snapshot table entry 3
          nsnap 60 4 0x7 | Too much extra metadata in snapshot table entry 3
          nsnap 60 4 0x8 | Too much extra metadata in snapshot table entry 3
          nsnap 60 4 0x10001 | Snapshot table too large
          nsnap 60 4 0x7fffffff | Snapshot table too large
          nsnap 60 4 0x80000000 | Snapshot table too large
          snapoff 64 8 0x0 | opens
          snapoff 64 8 0x1 | Snapshot table offset invalid
          snapoff 64 8 0x2 | Snapshot table offset invalid
          snapoff 64 8 0x4 | Snapshot table offset invalid
          snapoff 64 8 0x10000 | opens
          snapoff 64 8 0x10000000000 | opens
          snapoff 64 8 0x100000000000000 | opens
          incompat 72 8 0x0 | opens
          incompat 72 8 0x2 | qcow2: Image is corrupt; cannot be opened read/write | opens
          incompat 72 8 0x8 | qcow2: Compression type incompatible feature bit must not be set
          incompat 72 8 0x20 | Unsupported qcow2 feature(s): Unknown incompatible feature: 20
          incompat 72 8 0x10000 | Unsupported qcow2 feature(s): Unknown incompatible feature: 10000
          incompat 72 8 0x10001 | Unsupported qcow2 feature(s): Unknown incompatible feature: 10000
          incompat 72 8 0xffffffffffffffff | qcow2: Compression type incompatible feature bit must not be set
          compat 80 8 0x0 | opens
          compat 80 8 0x1 | opens
          compat 80 8 0x2 | opens
          compat 80 8 0x4 | opens
          autoclear 88 8 0x0 | opens
          autoclear 88 8 0x1 | opens
          autoclear 88 8 0x2 | data-file-raw requires a data file
          autoclear 88 8 0x4 | opens
          autoclear 88 8 0x8 | opens
          autoclear 88 8 0xffffffffffffffff | data-file-raw requires a data file
          rorder 96 4 0x0 | opens
          rorder 96 4 0x1 | opens
          rorder 96 4 0x2 | opens
          rorder 96 4 0x3 | opens
          rorder 96 4 0x7 | Reference count entry width too large; may not exceed 64 bits
          rorder 96 4 0x8 | Reference count entry width too large; may not exceed 64 bits
          rorder 96 4 0x9 | Reference count entry width too large; may not exceed 64 bits
          hlen 100 4 0x0 | qcow2 header too short
          hlen 100 4 0x1 | qcow2 header too short
          hlen 100 4 0x2 | qcow2 header too short
          hlen 100 4 0x68 | opens
          hlen 100 4 0x69 | opens
          hlen 100 4 0x70 | opens
          hlen 100 4 0x71 | Header extension too large
          hlen 100 4 0x3ff | opens
          hlen 100 4 0x10001 | qcow2 header exceeds cluster size
          hlen 100 4 0x7fffffff | qcow2 header exceeds cluster size
          hlen 100 4 0x80000000 | qcow2 header exceeds cluster size
          ctype 104 1 0x0 | opens
          ctype 104 1 0x1 | qcow2: Compression type incompatible feature bit must be set
          ctype 104 1 0x2 | qcow2: unknown compression type: 2
          ctype 104 1 0xff | qcow2: unknown compression type: 255
      """;

  private static final String OPENS = "opens";

  @TempDir Path directory;

  private static String opening(AioContext context, Path image, NodeOptions options) {
    try {
      Qcow2Files.open(context, image, "qcow2", options).close();
      return OPENS;
    } catch (BlockException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void isRefusedInTheReferencesWords() throws Exception {
    OnLoop.run(
        context -> {
          byte[] sound =
              Files.readAllBytes(Qcow2Files.create(context, directory.resolve("sound.qcow2")));
          Path image = directory.resolve("image.qcow2");
          for (String line : CASES.strip().split("\n")) {
            String[] parts = line.strip().split(" \\| ");
            String[] field = parts[0].split(" ");
            String reading = parts.length > 2 ? parts[2] : parts[1];
            for (boolean readOnly : new boolean[] {true, false}) {
              Files.write(image, sound);
              int offset = Integer.parseInt(field[1]);
              long value = Long.parseUnsignedLong(field[3].substring(2), 16);
              Qcow2Files.poke(image, offset, Integer.parseInt(field[2]), value);
              byte[] before = Files.readAllBytes(image);
              NodeOptions options = readOnly ? NodeOptions.READ_ONLY : NodeOptions.READ_WRITE;
              String expected = readOnly ? reading : parts[1];
              assertEquals(expected, opening(context, image, options), line + ", ro " + readOnly);
              if (readOnly || !expected.equals(OPENS)) {
                assertArrayEquals(before, Files.readAllBytes(image), "changed by " + line);
              }
            }
          }
        });
  }

  @ParameterizedTest
  @CsvSource({
    "0, Image is not in qcow2 format",
    "1, Image is not in qcow2 format",
    "4, Unsupported qcow2 version 0",
    "50, qcow2 header too short",
    "103, qcow2 header too short",
  })
  void aFileThatEndsTooSoonIsRefused(int length, String text) throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("short.qcow2"));
          Files.write(image, Arrays.copyOf(Files.readAllBytes(image), length));
          assertEquals(text, opening(context, image, NodeOptions.READ_ONLY));
        });
  }

  @Test
  void unknownAutoclearBitsAreClearedByWriters() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("autoclear.qcow2"));
          Qcow2Files.poke(image, 88, 8, 0x1234_0000);
          assertEquals(OPENS, opening(context, image, NodeOptions.READ_ONLY));
          assertEquals(0x1234_0000, Qcow2Files.peek(image, 88));
          assertEquals(OPENS, opening(context, image, NodeOptions.READ_WRITE));
          assertEquals(0, Qcow2Files.peek(image, 88));
          // A repair changes no data: what is known of it stays up to date.
          Qcow2Files.poke(image, 88, 8, 0x1234_0001);
          NodeOptions repair = NodeOptions.READ_WRITE.withForCheck(true);
          assertEquals(OPENS, opening(context, image, repair));
          assertEquals(1, Qcow2Files.peek(image, 88));
        });
  }

  @Test
  void backingNamesHaveLimits() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("name.qcow2"));
          Qcow2Files.poke(image, 8, 8, 1000);
          Qcow2Files.poke(image, 16, 4, 1024);
          assertEquals(
              "Backing file name too long", opening(context, image, NodeOptions.READ_ONLY));
          Qcow2Files.poke(image, 8, 8, Qcow2Files.CLUSTER_BYTES - 10);
          Qcow2Files.poke(image, 16, 4, 11);
          assertEquals(
              "Backing file name too long", opening(context, image, NodeOptions.READ_ONLY));
        });
  }

  private static void setBacking(Path image, String name) throws Exception {
    byte[] bytes = Files.readAllBytes(image);
    byte[] text = name.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    System.arraycopy(text, 0, bytes, 40_000, text.length);
    Files.write(image, bytes);
    Qcow2Files.poke(image, 8, 8, 40_000);
    Qcow2Files.poke(image, 16, 4, text.length);
  }

  @Test
  void imagesThatAreTheirOwnBackingFilesAreRefused() throws Exception {
    OnLoop.run(
        context -> {
          Path one = Qcow2Files.create(context, directory.resolve("one.qcow2"));
          Path two = Qcow2Files.create(context, directory.resolve("two.qcow2"));
          setBacking(one, "one.qcow2");
          String alone = opening(context, one, NodeOptions.READ_ONLY);
          assertTrue(alone.contains("creates an infinite loop."), alone);
          setBacking(one, "two.qcow2");
          setBacking(two, "one.qcow2");
          String both = opening(context, one, NodeOptions.READ_ONLY);
          assertTrue(both.contains("creates an infinite loop."), both);
          // By another name each time.
          setBacking(one, "./one.qcow2");
          String dotted = opening(context, one, NodeOptions.READ_ONLY);
          assertTrue(dotted.contains("creates an infinite loop."), dotted);
        });
  }

  @Test
  void aCompleteChainOfTheLongestLengthIsRead() throws Exception {
    OnLoop.run(
        context -> {
          Path below = Qcow2Files.create(context, directory.resolve("0.qcow2"));
          byte[] wanted = Qcow2Files.filled(512, 0xcd);
          for (int i = 1; i <= 201; i++) {
            Path image = directory.resolve(i + ".qcow2");
            Qcow2Files.create(context, image, Qcow2Creator.Request.ofSize(1 << 20));
            setBacking(image, below.getFileName().toString());
            below = image;
          }
          Path top = directory.resolve("200.qcow2");
          Qcow2Files.Disk disk = Qcow2Files.open(context, top, "qcow2", NodeOptions.READ_ONLY);
          assertArrayEquals(wanted, disk.read(0, 512));
          disk.close();
          Path tooLong = below;
          BlockException refused =
              assertThrows(
                  BlockException.class,
                  () -> Qcow2Files.open(context, tooLong, "qcow2", NodeOptions.READ_ONLY));
          assertTrue(String.valueOf(refused.getMessage()).contains("longer than 200 images"));
        });
  }
}
