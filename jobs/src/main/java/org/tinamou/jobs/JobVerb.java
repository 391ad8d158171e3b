package org.tinamou.jobs;

/** What a user can tell a job. */
public enum JobVerb {
  CANCEL("cancel"),
  PAUSE("pause"),
  RESUME("resume"),
  SET_SPEED("set-speed"),
  COMPLETE("complete"),
  FINALIZE("finalize"),
  DISMISS("dismiss"),
  CHANGE("change");

  private final String wireName;

  JobVerb(String wireName) {
    this.wireName = wireName;
  }

  public String wireName() {
    return wireName;
  }
}
