package org.tinamou.jobs;

import org.jspecify.annotations.Nullable;

/**
 * A job at a point in time.
 *
 * @param currentProgress how much is done, in units of the job; never falls
 * @param totalProgress how much there is to do by now
 * @param error why it failed, or null
 */
public record JobInfo(
    String id,
    JobType type,
    JobStatus status,
    long currentProgress,
    long totalProgress,
    @Nullable String error) {}
