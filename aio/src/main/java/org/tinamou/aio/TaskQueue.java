package org.tinamou.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Tasks on their way to a loop: any thread pushes, the home thread takes everything at once.
 * Lock-free; tasks come out in the order in which they were pushed.
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

  private volatile @Nullable Task head;

  /** Any thread. A full fence: what was written before is seen by the loop that takes the task. */
  void push(Task task) {
    Task seen = head;
    while (true) {
      task.next = seen;
      Task witness = (Task) HEAD.compareAndExchange(this, seen, task);
      if (witness == seen) {
        return;
      }
      seen = witness;
    }
  }

  boolean isEmpty() {
    return head == null;
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
