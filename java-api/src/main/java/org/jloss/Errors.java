package org.jloss;

/** From the native library's exceptions to Java's: for jloss's own modules. */
public final class Errors {
  private Errors() {}

  /**
   * The same for a call that may run a backward pass: what a {@link CustomLoss} threw in it is
   * given back as it was.
   */
  public static RuntimeException translateBackward(RuntimeException thrown) {
    return Callbacks.original(thrown);
  }

  /**
   * The exception that a native one stands for. The native library puts a letter for its kind
   * before the message, see {@code jloss/runtime.h}.
   */
  public static RuntimeException translate(RuntimeException thrown) {
    final String text = thrown.getMessage();
    if (thrown.getClass() != RuntimeException.class || text == null || text.isEmpty()) {
      return thrown;
    }
    // An error of the preset's own calls, say in a formula, has no letter but a backtrace.
    final int backtrace = text.indexOf("\nException raised from ");
    if (backtrace >= 0) {
      final String said = text.substring(0, backtrace);
      if (said.contains("exceeds the memory budget") || said.contains("can't allocate memory")) {
        throw new OutOfMemoryError(said);
      }
      return new RuntimeException(said, thrown);
    }
    final String message = text.substring(1);
    return switch (text.charAt(0)) {
      case 'V' -> new IllegalArgumentException(message, thrown);
      case 'I' -> new IndexOutOfBoundsException(message);
      case 'T', 'N' -> new UnsupportedOperationException(message, thrown);
      case 'R' -> new RuntimeException(message, thrown);
      case 'M' -> throw new OutOfMemoryError(message);
      default -> thrown;
    };
  }
}
