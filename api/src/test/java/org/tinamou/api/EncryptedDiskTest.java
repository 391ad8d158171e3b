package org.tinamou.api;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.drivers.ImageCreation;

/** Encrypted images: what opens them is given by the program, and is nowhere shown. */
class EncryptedDiskTest {
  private static final byte[] TEXT = "nobody reads this".getBytes(StandardCharsets.UTF_8);
  private static final DiskSecrets SECRETS =
      DiskSecrets.NONE.with("k", "correct horse").with("other", new byte[] {1, 2, 3});

  @TempDir Path directory;

  private Path make(String name, String format, String options) throws Exception {
    Path image = directory.resolve(name);
    DiskRuntime runtime = DiskRuntime.shared();
    ForeignThread.await(
        runtime.onMain(
            "make",
            () -> {
              ImageCreation.create(
                  runtime.main(),
                  SECRETS.toRegistry(),
                  image,
                  name,
                  format,
                  ImageCreation.options(format).parse("size=1M," + options));
              return true;
            }));
    return image;
  }

  private static byte[] read(DiskOptions options) throws DiskException {
    try (VirtualDisk disk = VirtualDisk.open(options)) {
      ByteBuffer buffer = ByteBuffer.allocate(TEXT.length);
      disk.read(777, buffer);
      return buffer.array();
    }
  }

  private static void write(DiskOptions options) throws DiskException {
    try (VirtualDisk disk = VirtualDisk.open(options)) {
      assertEquals(1 << 20, disk.sizeBytes());
      disk.write(777, ByteBuffer.wrap(TEXT));
      disk.flush();
    }
  }

  private static String refusal(DiskOptions options) {
    return String.valueOf(
        assertThrows(DiskException.class, () -> VirtualDisk.open(options)).getMessage());
  }

  private static void assertHidden(Path file) throws Exception {
    String bytes = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    assertFalse(bytes.contains("nobody reads this"), file.toString());
  }

  @Test
  void volumesOpenWithTheirPassword() throws Exception {
    Path image = make("volume", "luks", "key-secret=k,iter-time=10");
    DiskOptions options = DiskOptions.of(image).withFormat("luks").withOption("key-secret", "k");
    write(options.withSecrets(SECRETS));
    assertArrayEquals(TEXT, read(options.withSecrets(SECRETS)));
    assertHidden(image);
    assertTrue(refusal(options).contains("No secret with id 'k'"), refusal(options));
    DiskOptions wrong = options.withSecrets(SECRETS.with("k", "incorrect"));
    assertTrue(refusal(wrong).contains("Invalid password"), refusal(wrong));
    DiskOptions none = DiskOptions.of(image).withFormat("luks").withSecrets(SECRETS);
    assertTrue(refusal(none).contains("key-secret"), refusal(none));
  }

  @Test
  void imagesOpenWithTheirPassword() throws Exception {
    String encrypted = "encrypt.format=luks,encrypt.key-secret=k,encrypt.iter-time=10";
    Path image = make("image", "qcow2", encrypted);
    DiskOptions options =
        DiskOptions.of(image)
            .withFormat("qcow2")
            .withOption("encrypt.key-secret", "k")
            .withSecrets(SECRETS);
    write(options);
    assertArrayEquals(TEXT, read(options.withReadOnly(true)));
    assertHidden(image);
  }

  @Test
  void aHeaderMayBeInAFileOfItsOwn() throws Exception {
    Path header = make("header", "luks", "key-secret=k,iter-time=10,detached-header=on");
    Path data = Files.write(directory.resolve("data"), new byte[1 << 20]);
    DiskOptions options =
        DiskOptions.of(data)
            .withFormat("luks")
            .withOption("key-secret", "k")
            .withOption("header.driver", "file")
            .withOption("header.filename", header.toString())
            .withSecrets(SECRETS);
    write(options);
    assertArrayEquals(TEXT, read(options));
    assertEquals(1 << 20, Files.size(data));
    assertHidden(data);
    DiskOptions alone =
        DiskOptions.of(data).withFormat("luks").withOption("key-secret", "k").withSecrets(SECRETS);
    assertTrue(refusal(alone).contains("not in LUKS format"), refusal(alone));
  }

  @Test
  void secretsAreNotShown() throws Exception {
    DiskOptions options = DiskOptions.of("x").withSecrets(SECRETS);
    assertTrue(options.toString().contains("secrets [k, other]"), options.toString());
    assertFalse(options.toString().contains("horse"));
    byte[] mine = {5};
    DiskSecrets copied = DiskSecrets.NONE.with("m", mine);
    mine[0] = 6;
    assertEquals("[m]", copied.names().toString());
    DiskOptions odd = DiskOptions.of("x").withSecrets(DiskSecrets.NONE.with("no name", mine));
    assertTrue(refusal(odd).contains("identifier"), refusal(odd));
  }
}
