package org.tinamou.aio;

/**
 * Threads for calls that block: open, SEEK_DATA, compression, and all file I/O where there is no
 * io_uring. Bounded; a simulator replaces it.
 */
public interface Workers extends AutoCloseable {
  /**
   * Runs a job on some worker, later; callable from any thread, never blocks. Jobs beyond the
   * number of workers wait in a queue; each job in it belongs to a parked coroutine, so the queue
   * is bounded by their number.
   */
  void execute(Runnable job);

  /** Waits for running jobs and frees the threads. */
  @Override
  void close();
}
