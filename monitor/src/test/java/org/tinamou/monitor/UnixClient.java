package org.tinamou.monitor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A client of either monitor. */
public final class UnixClient implements AutoCloseable {
  private final SocketChannel channel;
  private final ByteArrayOutputStream got = new ByteArrayOutputStream();

  public UnixClient(Path path) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(path));
  }

  /** Waits for a program's socket to be there. */
  static void awaitSocket(Process program, Path path) {
    while (program.isAlive() && !Files.exists(path)) {
      Thread.onSpinWait();
    }
  }

  public UnixClient send(String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    return this;
  }

  /** All that has come, once it has this in it. */
  public String readUntil(String mark) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(65536);
    while (!text().contains(mark) && channel.read(buffer.clear()) >= 0) {
      got.write(buffer.array(), 0, buffer.position());
    }
    return text();
  }

  private String text() {
    return got.toString(StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
