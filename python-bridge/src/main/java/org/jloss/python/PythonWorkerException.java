package org.jloss.python;

import org.jspecify.annotations.Nullable;

/**
 * A worker of {@link PythonBridge#isolated()} ended, or was ended, for another reason than time: it
 * had no memory left, wrote too much, was killed, or answered nonsense.
 */
public final class PythonWorkerException extends RuntimeException {
  private static final long serialVersionUID = 1;

  PythonWorkerException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
