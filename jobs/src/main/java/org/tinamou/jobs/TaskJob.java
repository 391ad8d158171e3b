package org.tinamou.jobs;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;

/**
 * A job whose work is a single step: an image is made, or changed. It works on the main loop, and
 * users dismiss it when they have seen how it ended.
 */
public final class TaskJob extends Job {
  /** What is done. */
  @FunctionalInterface
  public interface Task {
    @InCoroutine
    void run() throws BlockException;
  }

  private final Task task;

  private TaskJob(JobList list, String id, JobType type, Task task) throws BlockException {
    super(list, JobSettings.of(id).manual(true, false), type, list.main());
    this.task = task;
    progress().setRemaining(1);
  }

  /**
   * Starts one.
   *
   * @throws BlockException if its id is not allowed or taken
   */
  @HomeThread
  public static void start(JobList list, String id, JobType type, Task task) throws BlockException {
    new TaskJob(list, id, type, task).start();
  }

  @Override
  protected void run() throws BlockException {
    try {
      task.run();
    } finally {
      progress().done(1);
      progress().setRemaining(0);
    }
  }

  /** The whole message: there is no log that would have it. */
  @Override
  protected @Nullable String errorText() {
    BlockException error = failure();
    return error == null ? null : error.getMessage();
  }
}
