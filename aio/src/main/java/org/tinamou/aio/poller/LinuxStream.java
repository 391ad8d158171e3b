package org.tinamou.aio.poller;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.PassedDescriptor;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.Sockets;

/** A connected socket of the host, or a pair of descriptors that are used like one. */
final class LinuxStream implements StreamSocket {
  private static final int EAGAIN = -Errno.EAGAIN.number();
  private static final int ECANCELED = -Errno.ECANCELED.number();
  private static final int VECTOR_BYTES = 1024;

  private final int fd;
  private final boolean ring;

  /** Whether more may have come than the last read has taken. */
  private boolean likelyMore;

  private final ReentrantLock lock = new ReentrantLock();
  private boolean closed;
  private @Nullable MemorySegment vectorMemory;

  /**
   * A connected socket.
   *
   * @param ring whether the loops read by themselves and wait meanwhile, as an io_uring does; else
   *     they tell when there is something to read
   */
  LinuxStream(int fd, boolean ring) {
    this.fd = fd;
    this.ring = ring;
  }

  @Override
  public long read(MemorySegment buffer) {
    long result = ring ? readByRing(buffer) : readWhenReady(buffer);
    likelyMore = result == buffer.byteSize();
    return result;
  }

  @Override
  public long readAll(MemorySegment buffer) {
    if (!ring) {
      return StreamSocket.super.readAll(buffer);
    }
    long done = 0;
    while (done < buffer.byteSize()) {
      long got = awaitReceived(buffer.asSlice(done), true);
      if (got <= 0) {
        return got < 0 ? got : done;
      }
      done += got;
    }
    likelyMore = true;
    return done;
  }

  private long readByRing(MemorySegment buffer) {
    if (likelyMore) {
      long result = Sockets.receive(fd, buffer);
      if (result != EAGAIN) {
        return result;
      }
    }
    return awaitReceived(buffer, false);
  }

  private long awaitReceived(MemorySegment buffer, boolean all) {
    while (true) {
      Coroutine self = Coroutine.current();
      if (self.isCancelRequested()) {
        return ECANCELED;
      }
      long result = self.context().io().receive(fd, buffer, all);
      if (result != EAGAIN) {
        return result;
      }
      Coroutine.yieldNow(); // a call waits only so long
    }
  }

  private long readWhenReady(MemorySegment buffer) {
    while (true) {
      long result = Sockets.receive(fd, buffer);
      if (result != EAGAIN) {
        return result;
      }
      if (!SocketWait.await(fd, FdWatch.READABLE)) {
        return ECANCELED;
      }
    }
  }

  @Override
  public long receive(MemorySegment buffer, Consumer<PassedDescriptor> passed) {
    while (true) {
      long result =
          Sockets.receive(
              fd, buffer, each -> passed.accept(new PassedDescriptor(each, LinuxFiles::close)));
      if (result != EAGAIN) {
        return result;
      }
      if (!SocketWait.await(fd, FdWatch.READABLE)) {
        return ECANCELED;
      }
    }
  }

  @Override
  public long write(MemorySegment buffer) {
    long done = 0;
    while (done < buffer.byteSize()) {
      long result = Sockets.send(fd, done == 0 ? buffer : buffer.asSlice(done));
      if (result == EAGAIN) {
        if (!SocketWait.await(fd, FdWatch.WRITABLE)) {
          return ECANCELED;
        }
      } else if (result < 0) {
        return result;
      } else {
        done += result;
      }
    }
    return done;
  }

  @Override
  public long write(IoVector buffers) {
    IoVector left = buffers;
    while (left.sizeBytes() > 0) {
      long result = Sockets.send(fd, left, vectorMemory(Sockets.vectorBytes(left)));
      if (result == EAGAIN) {
        if (!SocketWait.await(fd, FdWatch.WRITABLE)) {
          return ECANCELED;
        }
      } else if (result < 0) {
        return result;
      } else {
        left = left.slice(result);
      }
    }
    return buffers.sizeBytes();
  }

  private MemorySegment vectorMemory(long bytes) {
    MemorySegment memory = vectorMemory;
    if (memory == null || memory.byteSize() < bytes) {
      memory = Arena.ofAuto().allocate(Math.max(bytes, VECTOR_BYTES), 8);
      vectorMemory = memory;
    }
    return memory;
  }

  @Override
  public void shutdown() {
    lock.lock();
    try {
      if (!closed) {
        // Fails only if the peer has ended the connection already.
        Sockets.shutdown(fd);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        LinuxFiles.close(fd);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String toString() {
    return "socket " + fd;
  }
}
