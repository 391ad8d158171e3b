package org.tinamou.objects.tls;

/** An encrypted connection could not be made or kept. The message is for a person. */
public final class TlsException extends Exception {
  private static final long serialVersionUID = 1L;

  public TlsException(String message) {
    super(message);
  }

  TlsException(String message, Throwable cause) {
    super(message, cause);
  }

  /** What is said to the user. */
  public String reason() {
    return String.valueOf(getMessage());
  }
}
