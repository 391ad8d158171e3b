package org.tinamou.monitor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.monitor.hmp.LineSession;
import org.tinamou.qapi.Json;

/** A person's session. Belongs to the main loop. */
final class HumanSession implements Session {
  private static final int PIECE_BYTES = 4096;

  private final Monitors monitors;
  private final HumanTable table;
  private final StreamSocket connection;
  private final MonitorOutput output;
  private final LineSession lines;
  private boolean forgetting;
  private boolean inputEnded;
  private boolean busy;
  private boolean over;
  private boolean closed;
  private @Nullable Coroutine reader;

  /** What came last, until a command takes it. */
  private final DescriptorBag descriptors;

  /**
   * @param identity the monitor's own, whoever its client is
   */
  HumanSession(
      Monitors monitors,
      Object identity,
      HumanTable table,
      List<String> history,
      StreamSocket connection) {
    this.monitors = monitors;
    this.table = table;
    this.descriptors = new DescriptorBag(identity);
    this.connection = connection;
    this.lines = new LineSession(table, history);
    this.output = new MonitorOutput(monitors.main(), connection, this::changed);
  }

  @InCoroutine
  void run() {
    reader = Coroutine.current();
    try {
      print(lines.greeting());
      readAll();
    } finally {
      reader = null;
      inputEnded = true;
      descriptors.close();
      changed();
    }
  }

  private void readAll() {
    MemorySegment buffer = Arena.ofAuto().allocate(PIECE_BYTES);
    while (!forgetting) {
      long got = receive(buffer);
      if (got <= 0) {
        return;
      }
      StringBuilder echo = new StringBuilder();
      for (long i = 0; i < got && !forgetting; i++) {
        char character = (char) (buffer.get(ValueLayout.JAVA_BYTE, i) & 0xff);
        String line = lines.type(character, echo);
        if (line != null) {
          print(echo.toString());
          echo.setLength(0);
          carryOut(line);
          awaitEnd();
        }
      }
      print(echo.toString());
    }
  }

  /** Descriptors that come take the place of those that nobody has taken. */
  private long receive(MemorySegment buffer) {
    boolean[] first = {true};
    return connection.receive(
        buffer,
        passed -> {
          if (first[0]) {
            first[0] = false;
            descriptors.close();
          }
          descriptors.add(passed);
        });
  }

  /**
   * Waits for a line's turn and for its end. What was typed is shown first: a command may print
   * elsewhere, to where this output goes, too.
   */
  private void carryOut(String line) {
    while (!output.isIdle() && !forgetting) {
      Coroutine.suspend("monitor echo");
    }
    busy = true;
    monitors
        .queue()
        .add(
            () -> {
              try {
                if (!forgetting) {
                  HumanTable.Outcome outcome = table.run(utf8(line), descriptors);
                  over = outcome.last();
                  print(over ? outcome.text() : lines.answer(outcome.text()));
                }
              } catch (RuntimeException | Error e) {
                print(lines.answer("Internal error: " + e + "\n"));
                monitors.main().scheduleOnce("failed command", () -> rethrow(line, e));
              }
              busy = false;
              changed();
            });
    while (busy || (output.isFull() && !forgetting)) {
      Coroutine.suspend("monitor command");
    }
  }

  /** After the last command nothing is read; whoever closes all sessions ends this one too. */
  private void awaitEnd() {
    while (over && !forgetting) {
      Coroutine.suspend("end of monitors");
    }
  }

  private static void rethrow(String line, Throwable failure) {
    throw new IllegalStateException("command '" + line + "' failed", failure);
  }

  /** The bytes of a line came one by one. */
  private static String utf8(String bytes) {
    return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  private void print(String text) {
    if (!text.isEmpty()) {
      output.reply(text.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  private void changed() {
    if (closed) {
      return;
    }
    if (output.isBroken() && !forgetting) {
      abandon();
    }
    Coroutine waiting = reader;
    if (waiting != null) {
      waiting.wake();
    }
    monitors.progressed();
    if (inputEnded && isSent()) {
      closed = true;
      connection.close();
      monitors.closed(this);
    }
  }

  /** People are not told of events. */
  @Override
  public void event(Json event) {}

  @Override
  public void endInput() {
    forgetting = true;
  }

  @Override
  public boolean isSent() {
    return !busy && output.isIdle();
  }

  @Override
  public long outputBytes() {
    return output.bytes();
  }

  @Override
  public void abandon() {
    endInput();
    connection.shutdown();
    Coroutine waiting = reader;
    if (waiting != null) {
      waiting.wake();
    }
  }
}
