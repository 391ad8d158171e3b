package org.tinamou.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Tasks on their way to a loop: any thread pushes, the home thread takes everything at once.
 * Lock-free; tasks come out in the order in which they were pushed. Once closed it refuses tasks,
 * so that none is queued that nobody will ever run.
 */
final class TaskQueue {
  private static final VarHandle HEAD;

  static {
    try {
      HEAD = MethodHandles.lookup().findVarHandle(TaskQueue.class, "head", Task.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** In the place of the newest task for ever after {@link #close}. */
  private static final Closed CLOSED = new Closed();

  /** Marks a closed queue; never runs. */
  static final class Closed extends Task {
    private Closed() {}

    @Override
    void runOn(AioContext context) {
      throw new IllegalStateException("a closed queue has no tasks");
    }
  }

  private volatile @Nullable Task head;

  /**
   * Any thread. A full fence: what was written before is seen by the loop that takes the task.
   *
   * @return false if the queue is closed
   */
  boolean push(Task task) {
    Task seen = head;
    while (seen != CLOSED) {
      task.next = seen;
      Task witness = (Task) HEAD.compareAndExchange(this, seen, task);
      if (witness == seen) {
        return true;
      }
      seen = witness;
    }
    return false;
  }

  boolean isEmpty() {
    Task newest = head;
    return newest == null || newest == CLOSED;
  }

  /**
   * Home thread: refuses tasks from now on.
   *
   * @return false, without effect, if tasks are queued
   */
  boolean close() {
    return HEAD.compareAndSet(this, null, CLOSED);
  }

  /** Home thread. The oldest task, linked through {@link Task#next} to all that followed it. */
  @Nullable Task takeAll() {
    if (head == null) {
      return null;
    }
    Task newest = (Task) HEAD.getAndSet(this, null);
    Task oldest = null;
    while (newest != null) {
      Task older = newest.next;
      newest.next = oldest;
      oldest = newest;
      newest = older;
    }
    return oldest;
  }
}
