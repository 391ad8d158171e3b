package org.tinamou.aio;

import java.util.function.IntConsumer;

/** A descriptor that a peer has passed on; somebody takes it or closes it. Confined to one loop. */
public final class PassedDescriptor implements AutoCloseable {
  private final IntConsumer closer;
  private int fd;

  /**
   * One that nobody has taken.
   *
   * @param closer closes a descriptor
   */
  public PassedDescriptor(int fd, IntConsumer closer) {
    this.fd = fd;
    this.closer = closer;
  }

  /** The descriptor, which is the caller's from now on; -1 if it was taken or closed before. */
  @HomeThread
  public int take() {
    int taken = fd;
    fd = -1;
    return taken;
  }

  /** Closes it, unless it was taken. */
  @HomeThread
  @Override
  public void close() {
    int left = take();
    if (left >= 0) {
      closer.accept(left);
    }
  }
}
