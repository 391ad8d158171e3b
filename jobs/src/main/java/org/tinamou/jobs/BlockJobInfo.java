package org.tinamou.jobs;

import org.jspecify.annotations.Nullable;
import org.tinamou.block.IoStatus;

/**
 * A block job at a point in time.
 *
 * @param device its id
 * @param lengthBytes how much there is to do by now
 * @param offsetBytes how much is done
 * @param busy whether it works just now rather than waits or rests
 * @param paused whether somebody holds it up
 * @param activelySynced for a mirror: whether every write goes to both sides at once; else null
 */
public record BlockJobInfo(
    JobType type,
    String device,
    long lengthBytes,
    long offsetBytes,
    boolean busy,
    boolean paused,
    long speedBytesPerSecond,
    IoStatus ioStatus,
    boolean ready,
    JobStatus status,
    boolean autoFinalize,
    boolean autoDismiss,
    @Nullable String error,
    @Nullable Boolean activelySynced) {}
