package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.SocketAddress;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Errno;

/** A read that waits for a whole buffer, where loops wait for sockets in different ways. */
final class ReadAllTest {
  /** More than a socket holds. */
  private static final int SENT_BYTES = 1 << 20;

  private static final int READ_BYTES = 700 << 10;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "EPOLL"})
  void inALoop(PollerKind kind) throws Exception {
    read(kind, host -> host.startIoThread("reader", BusyPolling.OFF));
  }

  @Test
  void onACopyingThread() throws Exception {
    read(PollerKind.AUTO, host -> host.startCopyingThread("reader"));
  }

  /** A peer that says nothing does not keep a read for ever that is told to give up. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void isCancelledOnACopyingThread(boolean all) throws Exception {
    SocketAddress address = new SocketAddress.Unix(folder.resolve("socket").toString());
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        IoThread reader = host.startCopyingThread("reader");
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      long result =
          main.runUntilDone(
              "main",
              () -> {
                ListenSocket listener = main.io().sockets().listen(address, 1);
                AioContext.Forked<Long> reading =
                    reader.context().fork("read", () -> readInVain(address, all));
                StreamSocket silent = listener.accept();
                reading.coroutine().requestCancel();
                long read = reading.join();
                silent.close();
                listener.close();
                return read;
              });
      assertEquals(-Errno.ECANCELED.number(), result);
    }
  }

  private static long readInVain(SocketAddress address, boolean all) throws IOException {
    StreamSocket socket = Coroutine.current().context().io().sockets().connect(address);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment bytes = arena.allocate(16);
      return all ? socket.readAll(bytes) : socket.read(bytes);
    } finally {
      socket.close();
    }
  }

  private void read(PollerKind kind, Function<LoopHost, IoThread> threads) throws Exception {
    SocketAddress address = new SocketAddress.Unix(folder.resolve("socket").toString());
    try (LoopHost host = new LoopHost(kind);
        IoThread reader = threads.apply(host);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      main.runUntilDone(
          "main",
          () -> {
            ListenSocket listener = main.io().sockets().listen(address, 1);
            AioContext.Forked<Boolean> reading =
                reader.context().fork("read", () -> readFrom(address));
            StreamSocket peer = listener.accept();
            try (Arena arena = Arena.ofShared()) {
              MemorySegment bytes = arena.allocate(SENT_BYTES);
              bytes.set(ValueLayout.JAVA_BYTE, READ_BYTES - 1, (byte) 1);
              bytes.set(ValueLayout.JAVA_BYTE, SENT_BYTES - 1, (byte) 2);
              assertEquals(1, peer.write(bytes.asSlice(0, 1)));
              Coroutine.yieldNow();
              assertEquals(SENT_BYTES - 1, peer.write(bytes.asSlice(1)));
            }
            peer.close();
            listener.close();
            return reading.join();
          });
    }
  }

  private static boolean readFrom(SocketAddress address) throws IOException {
    StreamSocket socket = Coroutine.current().context().io().sockets().connect(address);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment bytes = arena.allocate(READ_BYTES);
      assertEquals(READ_BYTES, socket.readAll(bytes));
      assertEquals(1, bytes.get(ValueLayout.JAVA_BYTE, READ_BYTES - 1));
      int left = SENT_BYTES - READ_BYTES;
      assertEquals(left, socket.readAll(bytes));
      assertEquals(2, bytes.get(ValueLayout.JAVA_BYTE, left - 1));
      assertEquals(0, socket.readAll(bytes));
    }
    socket.close();
    return true;
  }
}
