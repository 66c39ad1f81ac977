package org.jloss;

/** From the native library's exceptions to Java's: for jloss's own modules. */
public final class Errors {
  /** What the native library puts before the kind: no message of the preset's begins with it. */
  private static final char MARKER = 1;

  private Errors() {}

  /**
   * The exception that a native one stands for. The native library puts a marker and a letter for
   * its kind before the message, see {@code jloss/runtime.h}; exceptions of the preset's own calls
   * lose their C++ backtrace.
   */
  public static RuntimeException translate(RuntimeException thrown) {
    final String text = thrown.getMessage();
    if (thrown.getClass() != RuntimeException.class || text == null || text.length() < 2) {
      return thrown;
    }
    if (text.charAt(0) != MARKER) {
      return ofPreset(thrown, text);
    }
    final String message = text.substring(2);
    return switch (text.charAt(1)) {
      case 'V' -> new IllegalArgumentException(message, thrown);
      case 'I' -> new IndexOutOfBoundsException(message);
      case 'T', 'N' -> new UnsupportedOperationException(message, thrown);
      case 'M' -> throw new OutOfMemoryError(message);
      default -> new RuntimeException(message, thrown);
    };
  }

  /** Whether something of the library is missing, where Java knows no other from a wrong type. */
  public static boolean isNotImplemented(Throwable translated) {
    final Throwable thrown = translated.getCause();
    return thrown != null && String.valueOf(thrown.getMessage()).startsWith(MARKER + "N");
  }

  /**
   * The same for a call that may run a backward pass: what a {@link CustomLoss} threw in it is
   * given back as it was.
   */
  public static RuntimeException translateBackward(RuntimeException thrown) {
    return Callbacks.original(thrown);
  }

  private static RuntimeException ofPreset(RuntimeException thrown, String text) {
    final int trace = text.indexOf("\nException raised from ");
    final String said = trace < 0 ? text : text.substring(0, trace);
    if (said.contains("can't allocate memory") || said.contains("exceeds the memory budget")) {
      throw new OutOfMemoryError(said.lines().findFirst().orElse(said));
    }
    return trace < 0 ? thrown : new RuntimeException(said, thrown);
  }
}
