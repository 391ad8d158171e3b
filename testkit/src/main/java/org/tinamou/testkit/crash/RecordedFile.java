package org.tinamou.testkit.crash;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A file in memory and the record of what was done to it. */
final class RecordedFile {
  /** Something that was done, or said in between. */
  sealed interface Event {}

  /** Bytes were written. */
  record Write(long offset, byte[] bytes) implements Event {}

  /** The size was changed. */
  record Resize(long size) implements Event {}

  /** Everything before is on the disk for good. */
  record Flush() implements Event {}

  /** What the guest may find from here on. */
  record Mark(GuestModel.Promise promise) implements Event {}

  /** The file below may have one of these contents from here on. */
  record Below(List<byte[]> contents) implements Event {}

  private byte[] bytes;
  private int size;
  private final List<Event> events = new ArrayList<>();

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

  List<Event> events() {
    return events;
  }

  /** Forgets the record so far: all of it has reached the disk. */
  void settle() {
    events.clear();
  }

  void mark(GuestModel.Promise promise) {
    events.add(new Mark(promise));
  }

  void below(List<byte[]> contents) {
    events.add(new Below(contents));
  }

  void flush() {
    events.add(new Flush());
  }

  void write(long offset, byte[] data) {
    events.add(new Write(offset, data));
    apply(offset, data, 0, data.length);
  }

  void resize(long newSize) {
    events.add(new Resize(newSize));
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
      case Mark(GuestModel.Promise _) -> {}
      case Below(List<byte[]> _) -> {}
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
