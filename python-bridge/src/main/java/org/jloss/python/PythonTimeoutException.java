package org.jloss.python;

/** A script had more to do than its {@linkplain PythonOptions#timeLimit time limit} allowed. */
public final class PythonTimeoutException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final boolean abandoned;

  PythonTimeoutException(String message, boolean abandoned) {
    super(message);
    this.abandoned = abandoned;
  }

  /**
   * Whether the script could not be ended, as it is inside a builtin or a native call: its
   * interpreter cannot be used any more, and its thread goes on until that call returns. Never so
   * where it ran in a worker of {@link PythonBridge#isolated()}.
   */
  public boolean abandoned() {
    return abandoned;
  }
}
