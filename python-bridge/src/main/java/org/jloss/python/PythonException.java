package org.jloss.python;

/** An exception that Python code raised and did not catch. */
public final class PythonException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String type;
  private final String traceback;

  PythonException(String type, String message, String traceback, Throwable cause) {
    super(message.isEmpty() ? type : type + ": " + message, cause);
    this.type = type;
    this.traceback = traceback;
  }

  /** The name of the exception's class in Python. */
  public String type() {
    return type;
  }

  /** The traceback as Python prints it. */
  public String traceback() {
    return traceback;
  }
}
