package org.jloss.python;

import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.PolyglotException;
import org.jspecify.annotations.Nullable;

/** An exception that Python code raised and did not catch. */
public final class PythonException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String type;
  private final String text;
  private final transient @Nullable Context context;
  private final String traceback;

  PythonException(
      String type,
      String message,
      String traceback,
      @Nullable PolyglotException cause,
      @Nullable Context context) {
    super(message.isEmpty() ? type : type + ": " + message, cause);
    this.type = type;
    this.text = message;
    this.context = context;
    this.traceback = traceback;
  }

  /** The exception to go on with in Python: the one that was raised, if that is its interpreter. */
  RuntimeException raised() {
    return getCause() instanceof PolyglotException raised && Context.getCurrent().equals(context)
        ? raised
        : new PyError(type, text, this);
  }

  /** The name of the exception's class in Python. */
  public String type() {
    return type;
  }

  /** The message without the class's name. */
  String text() {
    return text;
  }

  /** The traceback as Python prints it. */
  public String traceback() {
    return traceback;
  }
}
