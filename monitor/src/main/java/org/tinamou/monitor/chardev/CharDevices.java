package org.tinamou.monitor.chardev;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.CharacterHost;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.qapi.OptionException;

/** The character devices of a process by their names. Belongs to the main loop. */
public final class CharDevices {
  private final AioContext main;
  private final Consumer<String> notices;
  private final Map<String, CharDevice> devices = new LinkedHashMap<>();
  private @Nullable CharDevice stdio;

  /**
   * No devices yet.
   *
   * @param notices gets lines for whoever runs the process: what is waited for ("info: ..."), what
   *     failed, which terminal was opened
   */
  public CharDevices(AioContext main, Consumer<String> notices) {
    this.main = main;
    this.notices = notices;
  }

  @HomeThread
  public @Nullable CharDevice deviceOrNull(String id) {
    return devices.get(id);
  }

  /** In the order in which they were added. */
  @HomeThread
  public Collection<CharDevice> all() {
    return List.copyOf(devices.values());
  }

  /**
   * Opens a device, which may wait for a first client if it was told to.
   *
   * @param id not in use
   * @throws OptionException why it cannot be opened
   */
  @InCoroutine
  public CharDevice add(String id, CharSpec spec) throws OptionException {
    CharDevice device = open(id, spec);
    devices.put(id, device);
    if (spec instanceof CharSpec.Stdio) {
      stdio = device;
    }
    device.awaitReady();
    return device;
  }

  /** The name of the terminal of a device that is one, or null. */
  @HomeThread
  public static @Nullable String terminalOrNull(CharDevice device) {
    return device instanceof PtyDevice pty ? pty.path() : null;
  }

  private CharDevice open(String id, CharSpec spec) throws OptionException {
    try {
      return switch (spec) {
        case CharSpec.Null _ -> single(id, "null", new SinkStream(bytes -> {}));
        case CharSpec.RingBuffer(long sizeBytes) -> ring(id, sizeBytes);
        case CharSpec.Stdio(boolean signals) -> stdio(id, signals);
        case CharSpec.Pty _ -> pty(id);
        case CharSpec.Pipe(Path path) -> single(id, "pipe", pipe(path));
        case CharSpec.File file -> single(id, "file", file(file));
        case CharSpec.Socket socket -> {
          SocketDevice device = new SocketDevice(id, main, socket, notices);
          device.open();
          yield device;
        }
      };
    } catch (IOException e) {
      throw new OptionException(String.valueOf(e.getMessage()));
    }
  }

  private CharacterHost characters() {
    return main.io().sockets().characters();
  }

  private static CharDevice single(String id, String fileName, StreamSocket stream) {
    return new SingleDevice(id, fileName, stream, SingleDevice.TerminalControl.NONE);
  }

  private static CharDevice ring(String id, long sizeBytes) throws OptionException {
    if (Long.bitCount(sizeBytes) != 1 || sizeBytes < 0) {
      throw new OptionException("size of ringbuf chardev must be power of two");
    }
    if (sizeBytes > 1 << 30) {
      throw new OptionException("size of ringbuf chardev must not exceed 1 GiB");
    }
    return new RingDevice(id, (int) sizeBytes);
  }

  private CharDevice stdio(String id, boolean signals) throws OptionException, IOException {
    if (stdio != null) {
      throw new OptionException("cannot use stdio by multiple character devices");
    }
    return new SingleDevice(
        id,
        "stdio",
        characters().of(0, 1, false),
        () -> characters().rawTerminalOrNull(0, signals));
  }

  private CharDevice pty(String id) throws IOException {
    CharacterHost.PseudoTerminal terminal = main.callBlocking(() -> characters().openTerminal());
    notices.accept("char device redirected to " + terminal.path() + " (label " + id + ")");
    return new PtyDevice(id, main, terminal);
  }

  private StreamSocket pipe(Path path) throws OptionException {
    try {
      return openFiles(Path.of(path + ".in"), Path.of(path + ".out"), CharacterHost.Mode.EXISTING);
    } catch (OptionException none) {
      return openFiles(path, path, CharacterHost.Mode.EXISTING);
    }
  }

  private StreamSocket file(CharSpec.File file) throws OptionException {
    return openFiles(
        file.input(),
        file.output(),
        file.append() ? CharacterHost.Mode.APPEND : CharacterHost.Mode.TRUNCATE);
  }

  private StreamSocket openFiles(
      @Nullable Path input, @Nullable Path output, CharacterHost.Mode mode) throws OptionException {
    try {
      return main.callBlocking(() -> characters().open(input, output, mode));
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EOPNOTSUPP) {
        throw new OptionException(e.getMessage());
      }
      throw new OptionException("Could not open '" + e.context() + "': " + e.errno().message());
    }
  }

  /** Closes a device that nobody uses, and forgets it. */
  @InCoroutine
  public void remove(CharDevice device) {
    devices.remove(device.id(), device);
    close(device);
  }

  private void close(CharDevice device) {
    if (device == stdio) {
      stdio = null;
    }
    device.close();
    Path left = device.leftBehindOrNull();
    if (left != null) {
      try {
        main.callBlocking(() -> Files.deleteIfExists(left));
      } catch (IOException e) {
        // Somebody else has taken the name, or the directory has gone.
      }
    }
  }

  /**
   * Puts a new device in the place of one that nobody uses.
   *
   * @throws OptionException why the new one cannot be opened; the old one is kept then
   */
  @InCoroutine
  public CharDevice replace(CharDevice old, CharSpec spec) throws OptionException {
    CharDevice changed = open(old.id(), spec);
    devices.put(old.id(), changed);
    close(old);
    return changed;
  }

  /** Closes all; what still uses them is told that there is no more. */
  @InCoroutine
  public void closeAll() {
    for (CharDevice device : all()) {
      remove(device);
    }
  }
}
