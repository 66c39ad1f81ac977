package org.jloss.python;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Ctrl-C as a script's, which GraalPy sees to, and its end where the script does not heed it. */
final class KeyboardInterrupts implements AutoCloseable {
  private static final int STATUS = 130;

  private final Class<?> handlers;
  private final Method handle;
  private final Object signal;
  private final @Nullable Object jvms;

  /** To be made before GraalPy takes the signal over. */
  KeyboardInterrupts() {
    try {
      // By reflection, as javac warns of what the JDK has no other name for.
      final Class<?> signals = Class.forName("sun.misc.Signal");
      handlers = Class.forName("sun.misc.SignalHandler");
      handle = signals.getMethod("handle", signals, handlers);
      signal = signals.getConstructor(String.class).newInstance("INT");
      jvms = handle(handlers.getField("SIG_DFL").get(null));
    } catch (ReflectiveOperationException e) {
      throw unsupported(e);
    }
  }

  /**
   * Puts a question before what GraalPy does, which comes to nothing while the script is in a
   * builtin or in native code: whether all signals before were heeded. If not, the JVM ends.
   */
  void ask(BooleanSupplier heeded) {
    final Object[] graalpys = new Object[1];
    final InvocationHandler asking =
        (proxy, method, arguments) -> {
          if (!method.getName().equals("handle")) {
            return method.invoke(this, arguments); // of Object
          }
          if (!heeded.getAsBoolean()) {
            Runtime.getRuntime().halt(STATUS);
          }
          return method.invoke(graalpys[0], arguments);
        };
    graalpys[0] =
        handle(
            Proxy.newProxyInstance(handlers.getClassLoader(), new Class<?>[] {handlers}, asking));
  }

  private @Nullable Object handle(@Nullable Object handler) {
    try {
      return handle.invoke(null, signal, handler);
    } catch (ReflectiveOperationException e) {
      throw unsupported(e);
    }
  }

  private static IllegalStateException unsupported(ReflectiveOperationException e) {
    return new IllegalStateException("signals cannot be handled on this JVM", e);
  }

  /** The signal is the JVM's again. */
  @Override
  public void close() {
    handle(jvms);
  }
}
