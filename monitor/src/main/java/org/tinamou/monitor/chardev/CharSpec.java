package org.tinamou.monitor.chardev;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What a character device is to be made of. */
public sealed interface CharSpec {
  /** Nothing comes, and what goes is thrown away. */
  record Null() implements CharSpec {}

  /**
   * The standard input and output of this process.
   *
   * @param signals whether the keys that interrupt and suspend do so
   */
  record Stdio(boolean signals) implements CharSpec {}

  /** A new pseudo-terminal. */
  record Pty() implements CharSpec {}

  /** Two pipes with {@code .in} and {@code .out} behind their names, or one for both directions. */
  record Pipe(Path path) implements CharSpec {}

  /**
   * A file that is written.
   *
   * @param input one that is read, or null
   * @param append whether what is there already stays
   */
  record File(@Nullable Path input, Path output, boolean append) implements CharSpec {}

  /** Memory that keeps the last bytes. */
  record RingBuffer(long sizeBytes) implements CharSpec {}

  /**
   * A socket.
   *
   * @param server whether to listen rather than to connect
   * @param waits whether a server waits for its first client before it goes on
   * @param telnet whether the bytes are those of the telnet protocol
   * @param reconnectSeconds how long a client waits to connect again; 0 connects once
   */
  record Socket(
      SocketTarget target, boolean server, boolean waits, boolean telnet, long reconnectSeconds)
      implements CharSpec {}
}
