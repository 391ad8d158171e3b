package org.tinamou.monitor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.StreamSocket;

/**
 * What a client has still to read. Replies are kept, since a session whose output is {@link
 * #isFull} takes no further commands; of events the oldest are dropped for new ones. Belongs to the
 * main loop.
 */
final class MonitorOutput {
  /** From here on no commands are taken. */
  static final int FULL_BYTES = 1 << 20;

  /** What events may fill it up to. */
  static final int MAX_BYTES_WITH_EVENTS = 4 << 20;

  private static final int PIECE_BYTES = 16 << 10;

  private record Message(byte[] bytes, boolean isEvent) {}

  private final AioContext main;
  private final StreamSocket socket;
  private final Runnable onProgress;
  private final ArrayDeque<Message> messages = new ArrayDeque<>();
  private @Nullable MemorySegment piece;
  private long bytes;
  private int begun;
  private boolean writing;
  private boolean broken;
  private long droppedEvents;

  /**
   * Nothing to read yet.
   *
   * @param onProgress told when less is left, or when the connection is found broken
   */
  MonitorOutput(AioContext main, StreamSocket socket, Runnable onProgress) {
    this.main = main;
    this.socket = socket;
    this.onProgress = onProgress;
  }

  @HomeThread
  void reply(byte[] text) {
    put(new Message(text, false));
  }

  @HomeThread
  void event(byte[] text) {
    if (bytes + text.length > MAX_BYTES_WITH_EVENTS) {
      dropEvents(text.length);
    }
    if (bytes + text.length > MAX_BYTES_WITH_EVENTS) {
      droppedEvents++;
    } else {
      put(new Message(text, true));
    }
  }

  /** Makes room by giving up the oldest events nothing of which was sent yet. */
  private void dropEvents(int room) {
    Iterator<Message> oldest = messages.iterator();
    boolean first = true;
    while (oldest.hasNext() && bytes + room > MAX_BYTES_WITH_EVENTS) {
      Message message = oldest.next();
      boolean sending = first && begun > 0;
      if (message.isEvent() && !sending) {
        oldest.remove();
        bytes -= message.bytes().length;
        droppedEvents++;
      }
      first = false;
    }
  }

  private void put(Message message) {
    if (broken) {
      return;
    }
    messages.add(message);
    bytes += message.bytes().length;
    if (!writing) {
      writing = true;
      main.spawn("monitor output", this::write);
    }
  }

  boolean isFull() {
    return bytes >= FULL_BYTES;
  }

  /** Whether all was sent that will be. */
  boolean isIdle() {
    return !writing;
  }

  boolean isBroken() {
    return broken;
  }

  long bytes() {
    return bytes;
  }

  long droppedEvents() {
    return droppedEvents;
  }

  private void write() {
    try {
      MemorySegment buffer = piece;
      if (buffer == null) {
        buffer = Arena.ofAuto().allocate(PIECE_BYTES);
        piece = buffer;
      }
      while (!messages.isEmpty()) {
        int count = fill(buffer);
        if (socket.write(buffer.asSlice(0, count)) < 0) {
          broken = true;
          messages.clear();
          bytes = 0;
          begun = 0;
        }
        if (!messages.isEmpty()) {
          onProgress.run();
        }
      }
    } finally {
      writing = false;
    }
    onProgress.run();
  }

  /** Takes what fits off the queue. */
  private int fill(MemorySegment buffer) {
    int filled = 0;
    Message next;
    while (filled < PIECE_BYTES && (next = messages.peek()) != null) {
      int count = Math.min(PIECE_BYTES - filled, next.bytes().length - begun);
      MemorySegment.copy(next.bytes(), begun, buffer, ValueLayout.JAVA_BYTE, filled, count);
      filled += count;
      begun += count;
      bytes -= count;
      if (begun == next.bytes().length) {
        messages.remove();
        begun = 0;
      }
    }
    return filled;
  }
}
