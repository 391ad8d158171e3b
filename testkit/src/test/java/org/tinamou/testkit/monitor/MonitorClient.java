package org.tinamou.testkit.monitor;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.testkit.net.SimStream;

/** A client at its end of a simulated connection. Its calls are made in coroutines. */
final class MonitorClient {
  final SimStream stream;
  private final AioContext loop;
  private final ByteArrayOutputStream got = new ByteArrayOutputStream();
  private Coroutine reader;
  private int lineEnds;

  MonitorClient(AioContext loop, SimStream stream) {
    this.loop = loop;
    this.stream = stream;
  }

  MonitorClient send(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    stream.write(Arena.ofAuto().allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes)));
    return this;
  }

  MonitorClient negotiate() {
    return send("{'execute':'qmp_capabilities'}");
  }

  MonitorClient negotiateOutOfBand() {
    return send("{'execute':'qmp_capabilities','arguments':{'enable':['oob']}}");
  }

  /** Collects what comes, from now on. */
  MonitorClient read() {
    reader =
        loop.spawn(
            "client",
            () -> {
              MemorySegment buffer = Arena.ofAuto().allocate(4096);
              long count;
              while ((count = stream.read(buffer)) > 0) {
                byte[] bytes = buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
                got.writeBytes(bytes);
                for (byte each : bytes) {
                  lineEnds += each == '\n' ? 1 : 0;
                }
              }
            });
    return this;
  }

  /** Lets the loop turn until so many lines have come. */
  List<String> awaitLines(int count) {
    while (lineEnds < count && !reader.isEnded()) {
      loop.sleep(ClockType.REALTIME, 10_000);
    }
    return lines();
  }

  /** Waits for the end of the connection. */
  List<String> awaitEnd() {
    reader.join();
    return lines();
  }

  List<String> lines() {
    return text().lines().toList();
  }

  String text() {
    return got.toString(StandardCharsets.UTF_8);
  }

  void close() {
    stream.shutdown();
    if (reader != null) {
      reader.join();
    }
    stream.close();
  }
}
