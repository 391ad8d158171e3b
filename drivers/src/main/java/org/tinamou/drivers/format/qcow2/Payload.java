package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.CopyRange;
import org.tinamou.block.Edge;

/** What a write brings: bytes in memory, or a range that the host copies. */
sealed interface Payload {
  long sizeBytes();

  Payload slice(long startBytes, long lengthBytes);

  /** With what has to be stored before and behind it, in as few requests as possible. */
  List<Payload> between(MemorySegment before, MemorySegment behind);

  /**
   * Has the host copy it to a place in a child.
   *
   * @throws BlockException also, with EOPNOTSUPP, if the host cannot
   */
  @InCoroutine
  void copyTo(Edge child, long offsetBytes) throws BlockException;

  /** Bytes in memory. */
  record Bytes(IoVector buffer) implements Payload {
    @Override
    public long sizeBytes() {
      return buffer.sizeBytes();
    }

    @Override
    public Payload slice(long startBytes, long lengthBytes) {
      return new Bytes(buffer.slice(startBytes, lengthBytes));
    }

    @Override
    public List<Payload> between(MemorySegment before, MemorySegment behind) {
      List<MemorySegment> parts = new ArrayList<>();
      if (before.byteSize() > 0) {
        parts.add(before);
      }
      parts.addAll(buffer.segments());
      if (behind.byteSize() > 0) {
        parts.add(behind);
      }
      return List.of(new Bytes(IoVector.of(parts)));
    }

    @Override
    public void copyTo(Edge child, long offsetBytes) {
      throw new IllegalStateException("bytes in memory are written, not copied");
    }
  }

  /**
   * A part of a copy that is under way.
   *
   * @param startBytes where in the copy it begins
   */
  record Copied(CopyRange copy, long startBytes, long sizeBytes) implements Payload {
    @Override
    public Payload slice(long from, long lengthBytes) {
      return new Copied(copy, startBytes + from, lengthBytes);
    }

    @Override
    public List<Payload> between(MemorySegment before, MemorySegment behind) {
      List<Payload> parts = new ArrayList<>();
      if (before.byteSize() > 0) {
        parts.add(new Bytes(IoVector.of(before)));
      }
      parts.add(this);
      if (behind.byteSize() > 0) {
        parts.add(new Bytes(IoVector.of(behind)));
      }
      return parts;
    }

    @Override
    public void copyTo(Edge child, long offsetBytes) throws BlockException {
      if (!copy.part(startBytes).to(child, offsetBytes, sizeBytes)) {
        throw BlockException.of(Errno.EOPNOTSUPP, "copy inside the host");
      }
    }
  }
}
