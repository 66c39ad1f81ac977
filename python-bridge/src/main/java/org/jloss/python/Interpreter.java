package org.jloss.python;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link Python} by the functions of boot.py, which run here or elsewhere. */
abstract class Interpreter implements Python {
  /** The functions of boot.py that can be called, as a worker gets their names from outside. */
  static final List<String> OPERATIONS =
      List.of(
          "run", "module", "execute", "evaluate", "get_global", "set_global", "function", "call");

  /** Calls a function of boot.py with trees of {@link Values}; the result is one. */
  abstract @Nullable Object invoke(String operation, @Nullable Object... arguments);

  abstract Values values();

  /** Why it cannot be used any more, or null. */
  abstract @Nullable String failure();

  /** Whether a script that was given up still runs. */
  abstract boolean lingers();

  /** Forgets all that scripts left behind. */
  abstract void renew();

  @Override
  public int runScript(Path script, List<String> arguments) {
    try {
      return run(script.toString(), Files.readAllBytes(script), arguments);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public int runScript(String name, String text, List<String> arguments) {
    return run(name, text.getBytes(StandardCharsets.UTF_8), arguments);
  }

  private int run(String name, byte[] source, List<String> arguments) {
    return status(
        invoke(
            "run",
            name,
            new String(source, StandardCharsets.ISO_8859_1),
            values().encode(arguments)));
  }

  @Override
  public int runModule(String module, List<String> arguments) {
    return status(invoke("module", module, values().encode(arguments)));
  }

  private static int status(@Nullable Object result) {
    if (result instanceof Number status) {
      return status.intValue();
    }
    throw new IllegalArgumentException("expected an exit status, got " + result);
  }

  @Override
  public void exec(String code) {
    invoke("execute", code, "<exec>");
  }

  @Override
  public @Nullable Object eval(String expression) {
    return values().decode(invoke("evaluate", expression));
  }

  @Override
  public void set(String name, @Nullable Object value) {
    final Object tree;
    try {
      tree = values().encode(value);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
    }
    invoke("set_global", name, tree);
  }

  @Override
  public @Nullable Object get(String name) {
    return values().decode(invoke("get_global", name));
  }

  @Override
  public <T> T function(String expression, Class<T> type) {
    final List<Method> methods =
        Arrays.stream(type.getMethods())
            .filter(m -> Modifier.isAbstract(m.getModifiers()) && !isOfObject(m))
            .toList();
    if (!type.isInterface() || methods.size() != 1) {
      throw new IllegalArgumentException(
          "expected an interface with one abstract method, got "
              + type.getName()
              + (type.isInterface() ? " with " + methods.size() : ""));
    }
    final Object number = invoke("function", expression);
    final InvocationHandler handler =
        (proxy, method, arguments) -> {
          if (method.equals(methods.get(0))) {
            final Object[] given = arguments == null ? new Object[0] : arguments;
            final Object result = values().decode(invoke("call", number, values().encode(given)));
            return Values.as(method.getReturnType(), result, expression + " returned");
          }
          if (method.isDefault()) {
            return InvocationHandler.invokeDefault(proxy, method, arguments);
          }
          return switch (method.getName()) {
            case "equals" -> proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> expression + " of Python";
          };
        };
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  /** As Comparator redeclares equals. */
  private static boolean isOfObject(Method method) {
    return Arrays.stream(Object.class.getMethods())
        .anyMatch(
            m ->
                m.getName().equals(method.getName())
                    && Arrays.equals(m.getParameterTypes(), method.getParameterTypes()));
  }
}
