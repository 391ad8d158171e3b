package org.tinamou.monitor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonStream;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.MemberOrder;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/**
 * A QMP client's session. Belongs to the main loop.
 *
 * <p>What comes in waits here until the common queue takes it: one command at a time or, once the
 * client has negotiated out-of-band commands, eight. Meanwhile little more is read. Commands that
 * were sent before an orderly end of the input are carried out; when the connection breaks, those
 * that have not begun are forgotten.
 */
final class QmpSession implements Session {
  private static final String NEGOTIATE = "qmp_capabilities";
  private static final String OUT_OF_BAND = "oob";

  /** How many commands an out-of-band client may have in the queue. */
  static final int MAX_QUEUED = 8;

  private static final int PIECE_BYTES = 16 << 10;

  /** How much may be read while something that was read before still waits. */
  private static final int MAX_BYTES_AHEAD = 64 << 10;

  /** A value that came, with the descriptors that came along; freed with it. */
  private record Received(Parsed<Json> value, DescriptorBag descriptors) {}

  private final Monitors monitors;
  private final StreamSocket connection;
  private final boolean pretty;
  private final MonitorOutput output;
  private final JsonStream parser = new JsonStream(this::received);
  private final ArrayDeque<Received> received = new ArrayDeque<>();
  private final Object identity;
  private final DescriptorBag arriving;
  private int bytesAhead;
  private boolean negotiated;
  private boolean outOfBand;
  private int queued;
  private boolean outOfBandRuns;
  private boolean inputEnded;
  private boolean forgetting;
  private boolean closed;
  private @Nullable Coroutine reader;

  /**
   * @param identity the monitor's own, whoever its client is
   */
  QmpSession(Monitors monitors, Object identity, StreamSocket connection, boolean pretty) {
    this.monitors = monitors;
    this.identity = identity;
    this.arriving = new DescriptorBag(identity);
    this.connection = connection;
    this.pretty = pretty;
    this.output = new MonitorOutput(monitors.main(), connection, this::pump);
  }

  // -------------------------------------------------------------------------------------- input

  /** Reads to the end of the input. */
  @InCoroutine
  void run(Json version) {
    reader = Coroutine.current();
    try {
      greet(version);
      readAll();
    } finally {
      reader = null;
      inputEnded = true;
      arriving.close();
      pump();
    }
  }

  private void greet(Json version) {
    Json.Members greeting =
        new Json.Members()
            .put("version", version)
            .put("capabilities", new Json.Array().add(new Json.Text(OUT_OF_BAND)));
    output.reply(text(new Json.Members().put("QMP", greeting)));
  }

  private void readAll() {
    MemorySegment buffer = Arena.ofAuto().allocate(PIECE_BYTES);
    byte[] bytes = new byte[PIECE_BYTES];
    while (!forgetting) {
      if (!received.isEmpty() && bytesAhead >= MAX_BYTES_AHEAD) {
        Coroutine.suspend("monitor commands");
        continue;
      }
      long got = connection.receive(buffer, arriving::add);
      if (got <= 0) {
        forgetting |= got < 0;
        return;
      }
      if (forgetting) {
        return;
      }
      MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, bytes, 0, (int) got);
      bytesAhead = received.isEmpty() ? (int) got : bytesAhead + (int) got;
      parser.feed(bytes, 0, (int) got);
      giveDescriptors();
      pump();
    }
  }

  private void received(Parsed<Json> value) {
    received.add(new Received(value, new DescriptorBag(identity)));
  }

  /**
   * Descriptors belong to the last command that the bytes they came with complete, or else to the
   * next one: the kernel does not read on behind a piece that has some.
   */
  private void giveDescriptors() {
    if (!received.isEmpty() && !arriving.isEmpty()) {
      received.getLast().descriptors().takeAll(arriving);
    }
  }

  // ----------------------------------------------------------------------------------- commands

  /** Goes on as far as possible; called whenever something has changed. */
  private void pump() {
    if (closed) {
      return;
    }
    if (output.isBroken() && !forgetting) {
      abandon();
    }
    if (forgetting) {
      forget();
    }
    while (!received.isEmpty() && !output.isFull()) {
      if (queued >= (outOfBand ? MAX_QUEUED : 1)) {
        break;
      }
      Received next = received.element();
      QmpRequest request = QmpRequest.of(next.value(), outOfBand);
      if (request.outOfBand() && outOfBandRuns) {
        break;
      }
      received.remove();
      start(request, next.descriptors());
    }
    if (received.isEmpty()) {
      bytesAhead = 0;
    }
    Coroutine waiting = reader;
    if (waiting != null && bytesAhead < MAX_BYTES_AHEAD) {
      waiting.wake();
    }
    monitors.progressed();
    closeIfOver();
  }

  private void start(QmpRequest request, DescriptorBag descriptors) {
    if (request.outOfBand()) {
      outOfBandRuns = true;
      monitors
          .main()
          .spawn(
              "out-of-band command",
              () -> {
                carryOut(request, descriptors);
                outOfBandRuns = false;
                pump();
              });
    } else {
      queued++;
      monitors
          .queue()
          .add(
              () -> {
                carryOut(request, descriptors);
                queued--;
                pump();
              });
    }
  }

  private void carryOut(QmpRequest request, DescriptorBag descriptors) {
    try (descriptors) {
      if (!forgetting) {
        output.reply(text(answer(request, descriptors)));
      }
    }
  }

  private Json answer(QmpRequest request, DescriptorBag descriptors) {
    try {
      return request.answer(result(request, descriptors));
    } catch (CommandException e) {
      boolean unknown = e.errorClass() == ErrorClass.COMMAND_NOT_FOUND;
      String description =
          unknown && !negotiated
              ? "Expecting capabilities negotiation with '" + NEGOTIATE + "'"
              : String.valueOf(e.getMessage());
      return request.answer(e.errorClass(), description);
    } catch (RuntimeException | Error e) {
      // The client gets its answer; the loop tells of the fault.
      monitors.main().scheduleOnce("failed command", () -> rethrow(request.command(), e));
      return request.answer(ErrorClass.GENERIC_ERROR, "Internal error: " + e);
    }
  }

  private static void rethrow(String command, Throwable failure) {
    throw new IllegalStateException("command " + command + " failed", failure);
  }

  private Json result(QmpRequest request, DescriptorBag descriptors) throws CommandException {
    CommandException refused = request.refused();
    if (refused != null) {
      throw refused;
    }
    String name = request.command();
    if (name.equals(NEGOTIATE)) {
      refuseOutOfBand(request);
      negotiate(request.arguments());
      return new Json.Members();
    }
    if (!negotiated) {
      throw new CommandException(ErrorClass.COMMAND_NOT_FOUND, "");
    }
    CommandTable.Entry entry = monitors.commands().entry(name);
    if (!entry.outOfBand()) {
      refuseOutOfBand(request);
    }
    return monitors.commands().run(entry, request.arguments(), descriptors);
  }

  private static void refuseOutOfBand(QmpRequest request) throws CommandException {
    if (request.outOfBand()) {
      throw new CommandException("The command " + request.command() + " does not support OOB");
    }
  }

  private void negotiate(Json.Members arguments) throws CommandException {
    boolean wanted = false;
    try {
      OptionReader reader =
          OptionReader.of(
              monitors.commands().check(NEGOTIATE, arguments), OptionReader.Style.TYPED);
      for (String capability : reader.strings("enable")) {
        if (!capability.equals(OUT_OF_BAND)) {
          throw new CommandException("Parameter 'null' does not accept value '" + capability + "'");
        }
        wanted = true;
      }
      reader.finish();
    } catch (OptionException e) {
      throw new CommandException(e.getMessage());
    }
    if (negotiated) {
      throw new CommandException(
          ErrorClass.COMMAND_NOT_FOUND,
          "Capabilities negotiation is already complete, command ignored");
    }
    negotiated = true;
    outOfBand = wanted;
  }

  // ------------------------------------------------------------------------------ output and end

  private byte[] text(Json inSchemaOrder) {
    Json value = MemberOrder.sorted(inSchemaOrder);
    String text =
        pretty ? JsonWriter.pretty(value).replace("\n", "\r\n") : JsonWriter.compact(value);
    return (text + "\r\n").getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public void event(Json event) {
    if (negotiated && !closed) {
      output.event(text(event));
    }
  }

  @Override
  public void endInput() {
    forgetting = true;
    forget();
  }

  private void forget() {
    received.forEach(each -> each.descriptors().close());
    received.clear();
    bytesAhead = 0;
  }

  @Override
  public boolean isSent() {
    return queued == 0 && !outOfBandRuns && output.isIdle();
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

  private void closeIfOver() {
    if (inputEnded && received.isEmpty() && isSent()) {
      closed = true;
      connection.close();
      monitors.closed(this);
    }
  }
}
