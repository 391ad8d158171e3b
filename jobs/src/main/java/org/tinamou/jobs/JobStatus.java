package org.tinamou.jobs;

import java.util.EnumSet;
import java.util.Set;

/** Where a job is in its life, with the steps it may take from there. */
public enum JobStatus {
  UNDEFINED,
  /** There, but not started. */
  CREATED,
  RUNNING,
  PAUSED,
  /** Source and target are the same, and are kept so. */
  READY,
  /** Paused while ready. */
  STANDBY,
  /** Done; others of the transaction are not. */
  WAITING,
  /** All of the transaction are done; somebody has to say that it may end. */
  PENDING,
  /** Failed or cancelled. */
  ABORTING,
  /** Ended; its result can be looked at. */
  CONCLUDED,
  /** Forgotten. */
  NULL;

  public String wireName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }

  /** The states that may follow. */
  public Set<JobStatus> next() {
    return switch (this) {
      case UNDEFINED -> EnumSet.of(CREATED);
      case CREATED -> EnumSet.of(RUNNING, ABORTING, NULL);
      case RUNNING -> EnumSet.of(PAUSED, READY, WAITING, ABORTING);
      case PAUSED -> EnumSet.of(RUNNING);
      case READY -> EnumSet.of(STANDBY, WAITING, ABORTING);
      case STANDBY -> EnumSet.of(READY);
      case WAITING -> EnumSet.of(PENDING, ABORTING);
      case PENDING -> EnumSet.of(ABORTING, CONCLUDED);
      case ABORTING -> EnumSet.of(ABORTING, CONCLUDED);
      case CONCLUDED -> EnumSet.of(NULL);
      case NULL -> EnumSet.noneOf(JobStatus.class);
    };
  }

  /** Whether the verb means something now. */
  public boolean accepts(JobVerb verb) {
    return switch (verb) {
      case CANCEL -> ordinal() >= CREATED.ordinal() && ordinal() <= PENDING.ordinal();
      case PAUSE, RESUME, SET_SPEED, CHANGE ->
          ordinal() >= CREATED.ordinal() && ordinal() <= STANDBY.ordinal();
      case COMPLETE -> this == READY || this == STANDBY;
      case FINALIZE -> this == PENDING;
      case DISMISS -> this == CONCLUDED;
    };
  }
}
