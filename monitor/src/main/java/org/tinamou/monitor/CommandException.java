package org.tinamou.monitor;

import org.tinamou.qapi.ErrorClass;

/** Why a command failed; the message is meant for the client. */
public final class CommandException extends Exception {
  private static final long serialVersionUID = 1L;

  private final ErrorClass errorClass;

  public CommandException(ErrorClass errorClass, String message) {
    super(message);
    this.errorClass = errorClass;
  }

  /** One of class GenericError. */
  public CommandException(String message) {
    this(ErrorClass.GENERIC_ERROR, message);
  }

  public ErrorClass errorClass() {
    return errorClass;
  }
}
