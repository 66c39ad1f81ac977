package org.jloss.python;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.regex.Pattern;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.PolyglotException;
import org.jloss.Errors;
import org.jloss.parity.BrokenFileException;
import org.jspecify.annotations.Nullable;

/**
 * An exception on its way to Python: the name of the Python class that stands for it, and the text.
 */
public final class PyError extends RuntimeException {
  private static final Pattern TYPE_NAME = Pattern.compile("\\bCPU([A-Z][A-Za-z0-9]*)Type\\b");

  private static final long serialVersionUID = 1;

  private final String kind;

  PyError(String kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  PyError(String kind, String message) {
    this(kind, message, null);
  }

  /** The name of the built-in Python exception. */
  @HostAccess.Export
  public String kind() {
    return kind;
  }

  /** The message. */
  @HostAccess.Export
  public String text() {
    return String.valueOf(getMessage());
  }

  /** The Python exception that a Java one becomes. */
  static RuntimeException of(Throwable thrown) {
    if (thrown instanceof PyError || thrown instanceof PolyglotException) {
      return (RuntimeException) thrown;
    }
    if (thrown instanceof PythonException python) {
      return python.raised();
    }
    if (isMadeUp(thrown)) {
      return new PyError(
          "TypeError", "a function of jloss got arguments that it cannot take", thrown);
    }
    if (thrown instanceof StackOverflowError) {
      return new PyError("RecursionError", "maximum recursion depth exceeded", thrown);
    }
    // libtorch's names of types as PyTorch tells them to Python.
    final String message =
        TYPE_NAME
            .matcher(thrown.getMessage() == null ? thrown.toString() : thrown.getMessage())
            .replaceAll("torch.$1Tensor");
    if (thrown instanceof IllegalArgumentException) {
      return new PyError("ValueError", message, thrown);
    }
    if (thrown instanceof IndexOutOfBoundsException) {
      return new PyError("IndexError", message, thrown);
    }
    if (thrown instanceof UnsupportedOperationException) {
      return new PyError(
          Errors.isNotImplemented(thrown) ? "NotImplementedError" : "TypeError", message, thrown);
    }
    if (thrown instanceof OutOfMemoryError) {
      return new PyError("MemoryError", message, thrown);
    }
    if (thrown instanceof ArithmeticException) {
      return new PyError("OverflowError", message, thrown);
    }
    if (thrown instanceof AccessDeniedException) {
      return new PyError("PermissionError", message, thrown);
    }
    if (thrown instanceof NoSuchFileException missing) {
      return new PyError("FileNotFoundError", "there is no file " + missing.getFile(), thrown);
    }
    if (thrown instanceof BrokenFileException) {
      return new PyError("ValueError", message, thrown);
    }
    if (thrown instanceof IOException) {
      return new PyError("OSError", message, thrown);
    }
    if (thrown instanceof Error error && !(thrown instanceof LinkageError)) {
      throw error;
    }
    return new PyError("RuntimeError", message, thrown);
  }

  /** Whether something was called past the Python package: Java's own words would not help. */
  private static boolean isMadeUp(Throwable thrown) {
    return thrown instanceof NullPointerException
        || thrown instanceof ClassCastException
        || String.valueOf(thrown.getMessage()).startsWith("Unsupported operation Value.");
  }
}
