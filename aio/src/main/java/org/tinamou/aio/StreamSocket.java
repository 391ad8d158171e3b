package org.tinamou.aio;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.tinamou.base.IoVector;

/**
 * A connection that carries bytes both ways. It belongs to no loop: each call waits in the loop of
 * the coroutine that makes it, so nothing has to be moved when its users move.
 *
 * <p>At a time one coroutine reads and one writes. A coroutine whose cancel flag is up gets {@code
 * -ECANCELED} instead of waiting.
 */
public interface StreamSocket {
  /**
   * Waits for bytes and reads those that have come.
   *
   * @param buffer off-heap, not empty, the caller's
   * @return how many, 0 at the end, or a negative errno
   */
  @InCoroutine
  long read(MemorySegment buffer);

  /**
   * Fills the buffer, waiting for all of it.
   *
   * @param buffer off-heap, not empty, the caller's
   * @return how many bytes, fewer only at the end, or a negative errno
   */
  @InCoroutine
  default long readAll(MemorySegment buffer) {
    long done = 0;
    while (done < buffer.byteSize()) {
      long got = read(buffer.asSlice(done));
      if (got <= 0) {
        return got < 0 ? got : done;
      }
      done += got;
    }
    return done;
  }

  /**
   * As {@link #read}, and takes the descriptors that the peer passes along with the bytes. The
   * bytes of one call end with those that descriptors came with.
   *
   * @param passed gets each descriptor, which is its own
   */
  @InCoroutine
  default long receive(MemorySegment buffer, Consumer<PassedDescriptor> passed) {
    return read(buffer);
  }

  /**
   * Writes all bytes.
   *
   * @return how many were written, which is all, or a negative errno
   */
  @InCoroutine
  long write(MemorySegment buffer);

  /** As {@link #write(MemorySegment)}, of several buffers in order. */
  @InCoroutine
  long write(IoVector buffers);

  /**
   * Tells the peer that nothing more will be written, where the protocol has words of its own for
   * that. Waits until they are on their way, or the connection is shut down.
   */
  @InCoroutine
  default void sayEnd() {}

  /**
   * Ends the connection both ways: whoever waits goes on, with the end or an error. Idempotent;
   * also of a closed socket.
   */
  @AnyThread
  void shutdown();

  /** Frees the descriptor. Nobody uses the socket any more. Idempotent. */
  @AnyThread
  void close();
}
