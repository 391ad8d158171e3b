package org.tinamou.monitor.chardev;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.CharacterHost;
import org.tinamou.aio.StreamSocket;

/** A device that is one connection from its start to its end. */
final class SingleDevice extends CharDevice {
  private final String fileName;
  private final StreamSocket stream;
  private final TerminalControl terminal;
  private CharacterHost.@Nullable RawTerminal rawTerminal;
  private boolean given;

  /** Takes a terminal's line editing away, if the connection is one. */
  @FunctionalInterface
  interface TerminalControl {
    /** For what is no terminal. */
    TerminalControl NONE = () -> null;

    CharacterHost.@Nullable RawTerminal makeRaw();
  }

  SingleDevice(String id, String fileName, StreamSocket stream, TerminalControl terminal) {
    super(id);
    this.fileName = fileName;
    this.stream = stream;
    this.terminal = terminal;
  }

  @Override
  public String fileName() {
    return fileName;
  }

  @Override
  public @Nullable StreamSocket next() {
    if (given) {
      return null;
    }
    given = true;
    return stream;
  }

  @Override
  public void setRaw(boolean raw) {
    CharacterHost.RawTerminal before = rawTerminal;
    rawTerminal = null;
    if (before != null) {
      before.close();
    }
    if (raw) {
      rawTerminal = terminal.makeRaw();
    }
  }

  @Override
  public void close() {
    setRaw(false);
    if (given) {
      stream.shutdown();
    } else {
      given = true;
      stream.close();
    }
  }
}
