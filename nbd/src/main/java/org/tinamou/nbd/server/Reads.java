package org.tinamou.nbd.server;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.ErrnoException;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.NbdErrno;
import org.tinamou.nbd.wire.Request;
import org.tinamou.nbd.wire.SessionEnded;

/** Reads of one connection. Long ones go out in pieces, so that nobody can make us hold them. */
final class Reads {
  private static final int PIECE_BYTES = MemoryBudget.OWN_BYTES;

  /** To look for holes costs about as much as to read so much. */
  private static final int SPARSE_BYTES = 64 << 10;

  private static final String FAILED = "reading from file failed";

  private final NbdExport export;
  private final boolean structured;
  private final ReplyWriter replies;
  private final MemoryBudget.Share memory;

  /** A piece of a range. */
  private record Extent(long offsetBytes, long lengthBytes, boolean hole) {}

  Reads(NbdExport export, boolean structured, ReplyWriter replies, MemoryBudget.Share memory) {
    this.export = export;
    this.structured = structured;
    this.replies = replies;
    this.memory = memory;
  }

  @InCoroutine
  void perform(Request request, boolean alone) throws SessionEnded {
    long length = request.lengthBytes();
    boolean whole = !structured || request.has(Nbd.FLAG_DF);
    if (length == 0 && structured) {
      replies.begin();
      try {
        replies.chunk(request.cookie(), Nbd.CHUNK_DONE, Nbd.CHUNK_NONE, request.offsetBytes(), 0);
      } finally {
        replies.finish(alone);
      }
      return;
    }
    if (!whole && length >= SPARSE_BYTES && export.contexts().contains(Nbd.BASE_ALLOCATION)) {
      sparse(request, alone);
    } else if (whole) {
      whole(request, alone);
    } else {
      List<Extent> all = List.of(new Extent(request.offsetBytes(), length, false));
      chunks(request, all, alone);
    }
  }

  private void failure(Request request, ErrnoException failed, boolean alone) throws SessionEnded {
    replies.begin();
    try {
      replies.failure(
          request.cookie(), request.offsetBytes(), NbdErrno.toWire(failed.errno()), FAILED);
    } finally {
      replies.finish(alone);
    }
  }

  /** One reply for all of it; once its head is out an error can only be told by going away. */
  private void whole(Request request, boolean alone) throws SessionEnded {
    long offset = request.offsetBytes();
    long length = request.lengthBytes();
    long piece = Math.min(length, PIECE_BYTES);
    memory.reserve(piece);
    TransferMemory data = TransferMemory.take(piece);
    boolean begun = false;
    try {
      ErrnoException failed = read(offset, data);
      if (failed != null) {
        failure(request, failed, alone);
        return;
      }
      replies.begin();
      begun = true;
      if (structured) {
        replies.dataHead(request.cookie(), Nbd.CHUNK_DONE, offset, offset, length);
      } else {
        replies.simple(request.cookie(), 0);
      }
      replies.data(data.vector());
      for (long done = piece; done < length; done += piece) {
        long next = Math.min(piece, length - done);
        if (next < piece) {
          data.release();
          data = TransferMemory.take(next);
        }
        failed = read(offset + done, data);
        if (failed != null) {
          throw new SessionEnded(FAILED);
        }
        replies.data(data.vector());
      }
    } finally {
      data.release();
      memory.release(piece);
      if (begun) {
        replies.finish(alone);
      }
    }
  }

  private @Nullable ErrnoException read(long offsetBytes, TransferMemory data) {
    try {
      export.read(offsetBytes, data.vector());
      return null;
    } catch (ErrnoException e) {
      return e;
    }
  }

  private void sparse(Request request, boolean alone) throws SessionEnded {
    long offset = request.offsetBytes();
    long end = offset + request.lengthBytes();
    List<Extent> extents = new ArrayList<>();
    long[] at = {offset};
    try {
      while (at[0] < end) {
        long before = at[0];
        export.extents(
            Nbd.BASE_ALLOCATION,
            at[0],
            end - at[0],
            (lengthBytes, flags) -> {
              long length = Math.min(lengthBytes, end - at[0]);
              add(extents, at[0], length, (flags & Nbd.STATE_ZERO) != 0);
              at[0] += length;
              return at[0] < end;
            });
        if (at[0] == before) {
          add(extents, before, end - before, false);
          at[0] = end;
        }
      }
    } catch (ErrnoException e) {
      failure(request, e, alone);
      return;
    }
    chunks(request, extents, alone);
  }

  private static void add(List<Extent> extents, long offset, long length, boolean hole) {
    Extent last = extents.isEmpty() ? null : extents.getLast();
    if (last != null && last.hole == hole) {
      extents.set(
          extents.size() - 1, new Extent(last.offsetBytes, last.lengthBytes + length, hole));
    } else {
      extents.add(new Extent(offset, length, hole));
    }
  }

  private void chunks(Request request, List<Extent> extents, boolean alone) throws SessionEnded {
    long end = request.offsetBytes() + request.lengthBytes();
    for (Extent extent : extents) {
      long extentEnd = extent.offsetBytes + extent.lengthBytes;
      if (extent.hole) {
        boolean last = extentEnd == end;
        replies.begin();
        try {
          replies.hole(
              request.cookie(),
              last ? Nbd.CHUNK_DONE : 0,
              request.offsetBytes(),
              extent.offsetBytes,
              extent.lengthBytes);
        } finally {
          replies.finish(last && alone);
        }
        continue;
      }
      for (long at = extent.offsetBytes; at < extentEnd; at += PIECE_BYTES) {
        long length = Math.min(extentEnd - at, PIECE_BYTES);
        if (!chunk(request, at, length, at + length == end, alone)) {
          return;
        }
      }
    }
  }

  /** False if it has failed and the reply is over. */
  private boolean chunk(Request request, long offset, long length, boolean last, boolean alone)
      throws SessionEnded {
    memory.reserve(length);
    TransferMemory data = TransferMemory.take(length);
    try {
      ErrnoException failed = read(offset, data);
      if (failed != null) {
        failure(request, failed, alone);
        return false;
      }
      replies.begin();
      try {
        int flags = last ? Nbd.CHUNK_DONE : 0;
        replies.dataHead(request.cookie(), flags, request.offsetBytes(), offset, length);
        replies.data(data.vector());
      } finally {
        replies.finish(last && alone);
      }
      return true;
    } finally {
      data.release();
      memory.release(length);
    }
  }
}
