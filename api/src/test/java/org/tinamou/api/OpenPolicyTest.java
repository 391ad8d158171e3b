package org.tinamou.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images of strangers: they may name what they like, but it is not opened. */
class OpenPolicyTest {
  @TempDir Path directory;

  /** A disk of 64 KiB without any data, which shows what it stands on. */
  private Path naming(String backing) throws Exception {
    ByteBuffer image = ByteBuffer.allocate(4 << 16);
    byte[] name = backing.getBytes(StandardCharsets.UTF_8);
    image.put(new byte[] {'Q', 'F', 'I', (byte) 0xfb}).putInt(3).putLong(512).putInt(name.length);
    image.putInt(16).putLong(1 << 16).putInt(0).putInt(1).putLong(3 << 16).putLong(1 << 16);
    image.putInt(1).putInt(0).putLong(0).putLong(0).putLong(0).putLong(0).putInt(4).putInt(104);
    image.putInt(104, 0xe279_2aca).putInt(108, 3).put(112, "raw".getBytes(StandardCharsets.UTF_8));
    image.put(512, name).putLong(1 << 16, 2 << 16);
    for (int cluster = 0; cluster < 4; cluster++) {
      image.putShort((2 << 16) + 2 * cluster, (short) 1);
    }
    return Files.write(directory.resolve("image"), image.array());
  }

  private static DiskOptions reading(Path path, OpenPolicy policy) {
    return DiskOptions.of(path).withReadOnly(true).withPolicy(policy);
  }

  private static String refusal(DiskOptions options) {
    return String.valueOf(
        assertThrows(DiskException.class, () -> VirtualDisk.open(options)).getMessage());
  }

  private static byte firstByte(DiskOptions options) throws DiskException {
    try (VirtualDisk disk = VirtualDisk.open(options)) {
      ByteBuffer buffer = ByteBuffer.allocate(1);
      disk.read(0, buffer);
      return buffer.get(0);
    }
  }

  @Test
  void nothingThatAnImageOfAStrangerNamesIsOpened() throws Exception {
    Files.write(directory.resolve("below"), new byte[] {7});
    Path image = naming("below");
    assertEquals(7, firstByte(reading(image, OpenPolicy.TRUSTING)));
    assertTrue(refusal(reading(image, OpenPolicy.UNTRUSTED)).contains("has to be given"));
    DiskOptions strict = reading(image, OpenPolicy.UNTRUSTED).withFormat("qcow2");
    assertTrue(refusal(strict).contains("nothing that an image names is opened"));
    OpenPolicy beside = OpenPolicy.UNTRUSTED.withReferences(OpenPolicy.References.SAME_DIRECTORY);
    assertEquals(7, firstByte(strict.withPolicy(beside)));
  }

  @Test
  void neighboursAreFilesAndNoLinksToElsewhere() throws Exception {
    Files.createSymbolicLink(directory.resolve("below"), Path.of("/etc/passwd"));
    OpenPolicy beside = OpenPolicy.TRUSTING.withReferences(OpenPolicy.References.SAME_DIRECTORY);
    for (String name : new String[] {"below", "/etc/passwd", "nbd:x:1", "json:{}", "file:below"}) {
      String refusal = refusal(reading(naming(name), beside).withFormat("qcow2"));
      assertTrue(refusal.contains("beside the image are opened"), refusal);
    }
  }
}
