package org.tinamou.jobs;

/** The kinds of jobs. */
public enum JobType {
  COMMIT,
  STREAM,
  MIRROR,
  BACKUP,
  CREATE,
  AMEND,
  SNAPSHOT_LOAD,
  SNAPSHOT_SAVE,
  SNAPSHOT_DELETE;

  public String wireName() {
    return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }
}
