package org.tinamou.testkit.crash;

import java.util.Arrays;
import java.util.function.Consumer;

/** A file in memory that tells what is done to it. */
final class RecordedFile {
  /** Something that was done. */
  sealed interface Event {}

  /** Bytes were written. */
  record Write(long offset, byte[] bytes) implements Event {}

  /** The size was changed. */
  record Resize(long size) implements Event {}

  /** Everything before is on the disk for good. */
  record Flush() implements Event {}

  private byte[] bytes;
  private int size;
  private Consumer<Event> listener = event -> {};

  RecordedFile(byte[] content) {
    bytes = content.clone();
    size = content.length;
  }

  byte[] content() {
    return Arrays.copyOf(bytes, size);
  }

  int size() {
    return size;
  }

  /** Somebody wants to know what is done from now on. */
  void tell(Consumer<Event> to) {
    listener = to;
  }

  void flush() {
    listener.accept(new Flush());
  }

  void write(long offset, byte[] data) {
    listener.accept(new Write(offset, data));
    apply(offset, data, 0, data.length);
  }

  void resize(long newSize) {
    listener.accept(new Resize(newSize));
    setSize(Math.toIntExact(newSize));
  }

  void read(long offset, byte[] target) {
    int from = (int) Math.min(size, offset);
    int length = Math.min(target.length, size - from);
    System.arraycopy(bytes, from, target, 0, length);
  }

  /** Does again what another file recorded. */
  void repeat(Event event) {
    switch (event) {
      case Write(long offset, byte[] data) -> apply(offset, data, 0, data.length);
      case Resize(long newSize) -> setSize(Math.toIntExact(newSize));
      case Flush() -> {}
    }
  }

  /** Writes a part of some bytes. */
  void apply(long offset, byte[] data, int from, int to) {
    int end = Math.toIntExact(offset + to);
    if (end > size) {
      setSize(end);
    }
    System.arraycopy(data, from, bytes, (int) offset + from, to - from);
  }

  private void setSize(int newSize) {
    if (newSize > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(newSize, bytes.length * 2));
    }
    if (newSize < size) {
      Arrays.fill(bytes, newSize, size, (byte) 0);
    }
    size = newSize;
  }
}
