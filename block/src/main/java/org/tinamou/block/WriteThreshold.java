package org.tinamou.block;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/** Tells somebody once that a node is written to beyond a certain offset. */
public final class WriteThreshold {
  /** Hears of it before the write is done. Any loop; short, never waits. */
  @FunctionalInterface
  public interface Listener {
    /**
     * The threshold is off from now on.
     *
     * @param exceededByBytes how far beyond it the write reaches
     */
    void exceeded(long thresholdBytes, long exceededByBytes);
  }

  private record Armed(long bytes, Listener listener) {}

  private final AtomicReference<@Nullable Armed> armed = new AtomicReference<>();

  WriteThreshold() {}

  /** Arms it anew. 0 switches it off. */
  @AnyThread
  public void set(long bytes, Listener listener) {
    armed.set(bytes == 0 ? null : new Armed(bytes, listener));
  }

  /** Where it is, or 0. */
  @AnyThread
  public long bytes() {
    Armed current = armed.get();
    return current == null ? 0 : current.bytes;
  }

  void check(long endBytes) {
    Armed current = armed.get();
    if (current != null && endBytes > current.bytes && armed.compareAndSet(current, null)) {
      current.listener.exceeded(current.bytes, endBytes - current.bytes);
    }
  }
}
