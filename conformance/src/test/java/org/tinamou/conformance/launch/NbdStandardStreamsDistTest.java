package org.tinamou.conformance.launch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server whose only client is whoever has started it. */
@Timeout(60)
class NbdStandardStreamsDistTest {
  private static final Path TOOL =
      Path.of("..").toAbsolutePath().normalize().resolve("dist/compat/qemu-nbd");
  private static final long OPTION_MAGIC = 0x49484156454F5054L;
  private static final int REQUEST_MAGIC = 0x25609513;
  private static final int REPLY_MAGIC = 0x67446698;

  @TempDir Path directory;

  private Process start(Path image) throws IOException {
    return new ProcessBuilder(TOOL.toString(), "--stdio", "-f", "raw", image.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  @Test
  void servesOneClientOnPipesAndEndsWithIt() throws Exception {
    byte[] content = new byte[8192];
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (i * 31 + i / 251);
    }
    Path image = Files.write(directory.resolve("image"), content);
    Process server = start(image);
    DataInputStream in = new DataInputStream(server.getInputStream());
    DataOutputStream out = new DataOutputStream(server.getOutputStream());
    in.skipNBytes(18);
    out.writeInt(3);
    out.writeLong(OPTION_MAGIC);
    out.writeLong(1L << 32);
    out.flush();
    assertEquals(content.length, in.readLong());
    in.skipNBytes(2);
    request(out, 0, 4096, 4096);
    assertEquals(REPLY_MAGIC, in.readInt());
    assertEquals(0, in.readInt());
    assertEquals(7, in.readLong());
    assertArrayEquals(java.util.Arrays.copyOfRange(content, 4096, 8192), in.readNBytes(4096));
    request(out, 2, 0, 0);
    assertEquals(-1, in.read());
    assertEquals(0, server.waitFor());
  }

  private static void request(DataOutputStream out, int command, long offset, int length)
      throws IOException {
    out.writeInt(REQUEST_MAGIC);
    out.writeInt(command);
    out.writeLong(7);
    out.writeLong(offset);
    out.writeInt(length);
    out.flush();
  }

  @Test
  void endsWithAClientThatSaysNothing() throws Exception {
    Path image = Files.write(directory.resolve("image"), new byte[512]);
    Process server = start(image);
    server.getOutputStream().close();
    server.getInputStream().readAllBytes();
    assertEquals(0, server.waitFor());
  }
}
