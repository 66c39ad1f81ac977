package org.jloss.python;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** The one place where Java's exceptions become what the Python package turns into Python's. */
final class Guard {
  private Guard() {}

  static <T extends @Nullable Object> T run(Callable<T> body) {
    try {
      return body.call();
    } catch (Throwable thrown) {
      throw PyError.of(thrown);
    }
  }
}
