package org.tinamou.qapi;

/** The error classes of QMP. */
public enum ErrorClass {
  GENERIC_ERROR("GenericError"),
  COMMAND_NOT_FOUND("CommandNotFound"),
  DEVICE_NOT_ACTIVE("DeviceNotActive"),
  DEVICE_NOT_FOUND("DeviceNotFound"),
  KVM_MISSING_CAP("KVMMissingCap");

  private final String wireName;

  ErrorClass(String wireName) {
    this.wireName = wireName;
  }

  public String wireName() {
    return wireName;
  }
}
