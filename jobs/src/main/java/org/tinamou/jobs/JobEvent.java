package org.tinamou.jobs;

import org.tinamou.block.ErrorPolicy;

/** Something that happened to a job, as it was when it happened. */
public sealed interface JobEvent {
  Job job();

  /** It has another state. */
  record StatusChanged(Job job, JobStatus status) implements JobEvent {}

  /** A block job waits to be completed. */
  record Ready(BlockJob job, BlockJobInfo info) implements JobEvent {}

  /** A job that does not finalize itself waits to be told to. */
  record Pending(Job job) implements JobEvent {}

  /** A block job has ended, with or without an error. */
  record Completed(BlockJob job, BlockJobInfo info) implements JobEvent {}

  /** A block job has ended since it was told to give up. */
  record Cancelled(BlockJob job, BlockJobInfo info) implements JobEvent {}

  /**
   * A request of a block job has failed.
   *
   * @param action REPORT, IGNORE or STOP
   */
  record Failed(BlockJob job, boolean isRead, ErrorPolicy action) implements JobEvent {}
}
